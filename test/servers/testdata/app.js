// The application of these stories in Node, with its standard library alone.
'use strict';
const http = require('http');
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const crypto = require('crypto');
const readline = require('readline');

const [host, port, root] = process.argv.slice(2);
const sessions = new Map();

function page(res, text, status = 200) {
	res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
	res.end(text + '\n');
}

function move(res, status, to, fields = {}) {
	res.writeHead(status, { 'Location': to, 'Cache-Control': 'no-store', ...fields });
	res.end();
}

function stream(res, type) {
	res.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' });
}

function session(req) {
	const found = /(?:^|; *)session=([0-9a-f]+)/.exec(req.headers.cookie || '');
	return found ? found[1] : '';
}

async function whole(req) {
	const parts = [];
	for await (const part of req) parts.push(part);
	return Buffer.concat(parts);
}

// The part of a multipart body that has this name.
function part(body, boundary, name) {
	const edge = Buffer.from('--' + boundary);
	for (let at = body.indexOf(edge); at >= 0;) {
		const next = body.indexOf(edge, at + edge.length);
		if (next < 0) return null;
		const head = body.indexOf('\r\n\r\n', at);
		const fields = body.subarray(at, head).toString();
		if (fields.includes(`name="${name}"`)) {
			const file = /filename="([^"]*)"/.exec(fields);
			return { file: file ? file[1] : '', content: body.subarray(head + 4, next - 2) };
		}
		at = next;
	}
	return null;
}

const sum = (content) => crypto.createHash('sha256').update(content).digest('hex');

async function upload(req, res) {
	const form = /^multipart\/form-data; *boundary=(\S+)/.exec(req.headers['content-type'] || '');
	if (form) {
		const body = await whole(req);
		const { file, content } = part(body, form[1], 'file');
		return page(res, `${file} ${content.length} ${sum(content)} ${part(body, form[1], 'note').content}`);
	}
	const hash = crypto.createHash('sha256');
	let size = 0;
	for await (const piece of req) {
		hash.update(piece);
		size += piece.length;
	}
	page(res, `raw ${size} ${hash.digest('hex')}`);
}

// A file, whole or one range of it.
function download(req, res, name) {
	const file = path.join(root, path.basename(name));
	if (!fs.existsSync(file)) return page(res, 'no such page', 404);
	const { size, mtime } = fs.statSync(file);
	const etag = `"${size.toString(16)}-${mtime.getTime().toString(16)}"`;
	const fields = { 'Content-Type': 'application/octet-stream', 'ETag': etag, 'Last-Modified': mtime.toUTCString(), 'Accept-Ranges': 'bytes' };
	if (req.headers['if-none-match'] === etag) {
		res.writeHead(304, fields);
		return res.end();
	}
	let range = /^bytes=(\d*)-(\d*)$/.exec(req.headers.range || '');
	if (req.headers['if-range'] && req.headers['if-range'] !== etag) range = null;
	let start = 0, end = size - 1, status = 200;
	if (range && (range[1] || range[2])) {
		if (range[1]) {
			start = +range[1];
			if (range[2]) end = Math.min(end, +range[2]);
		} else {
			start = Math.max(0, size - range[2]);
		}
		if (start > end) {
			res.writeHead(416, { 'Content-Range': `bytes */${size}` });
			return res.end();
		}
		status = 206;
		fields['Content-Range'] = `bytes ${start}-${end}/${size}`;
	}
	fields['Content-Length'] = end - start + 1;
	res.writeHead(status, fields);
	if (req.method === 'HEAD') return res.end();
	fs.createReadStream(file, { start, end }).pipe(res);
}

function login(res, form) {
	if (form.get('user') !== 'ada' || form.get('password') !== 'länger & besser') return page(res, 'wrong', 403);
	const id = crypto.randomBytes(16).toString('hex');
	sessions.set(id, form.get('user'));
	move(res, 303, '/app/private', { 'Set-Cookie': `session=${id}; Path=/app; HttpOnly; SameSite=Lax` });
}

function firstHalf(res, fields = {}) {
	res.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store', ...fields });
	return new Promise((done) => res.write('half '.repeat(1000), done));
}

const server = http.createServer(async (req, res) => {
	const url = new URL(req.url, 'http://here');
	if (url.pathname.startsWith('/files/')) return download(req, res, url.pathname);
	switch (`${req.method} ${url.pathname}`) {
	case 'GET /app/login':
		return page(res, 'who are you?');
	case 'POST /app/login':
		return login(res, new URLSearchParams((await whole(req)).toString()));
	case 'GET /app/private':
		if (!sessions.has(session(req))) return move(res, 302, '/app/login');
		return page(res, 'hello ' + sessions.get(session(req)));
	case 'POST /app/logout':
		sessions.delete(session(req));
		return move(res, 303, '/app/login', { 'Set-Cookie': 'session=; Path=/app; Expires=Thu, 01 Jan 1970 00:00:01 GMT' });
	case 'POST /app/upload':
		return upload(req, res);
	case 'GET /app/events': {
		stream(res, 'text/event-stream');
		const told = fs.createReadStream(url.searchParams.get('channel'));
		res.on('close', () => told.destroy());
		res.write(': here\n\n');
		for await (const line of readline.createInterface({ input: told })) res.write(`data: ${line}\n\n`);
		return res.end();
	}
	case 'GET /app/poll':
		for await (const line of readline.createInterface({ input: fs.createReadStream(url.searchParams.get('channel')) })) {
			return page(res, 'it is ' + line);
		}
		return page(res, 'it is nothing');
	case 'GET /app/slow':
		return setTimeout(() => page(res, 'at last'), 2000);
	case 'GET /app/dies':
		await firstHalf(res);
		return req.socket.destroy();
	case 'GET /app/short':
		await firstHalf(res, { 'Content-Length': 10000 });
		return req.socket.destroy();
	case 'GET /app/leaves':
		await firstHalf(res);
		return res.end();
	case 'GET /app/fails':
		return page(res, 'it broke', 500);
	case 'GET /app/gzip':
		res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip', 'Vary': 'Accept-Encoding', 'Cache-Control': 'max-age=60' });
		return res.end(zlib.gzipSync('the same line again\n'.repeat(5000)));
	case 'GET /app/moved': {
		const own = url.searchParams.get('own');
		return move(res, 302, `http://${own}/app/login`, {
			'Content-Location': `http://${own}/app/moved`, 'Refresh': `5; url=http://${own}/app/login`,
			'Link': `<http://${own}/app/next>; rel="next"`, 'Set-Cookie': `place=here; Path=/; Domain=${own.split(':')[0]}`,
		});
	}
	case 'GET /app/seen':
		return page(res, JSON.stringify({
			host: req.headers.host, for: req.headers['x-forwarded-for'] || '',
			proto: req.headers['x-forwarded-proto'] || '', query: url.search.slice(1),
		}));
	}
	page(res, 'no such page', 404);
});

// A WebSocket (RFC 6455) that says everything back. Frames are not fragmented here.
server.on('upgrade', (req, socket, early) => {
	const accept = crypto.createHash('sha1').update(req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
	socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
	let waiting = early;
	const take = (piece) => {
		waiting = Buffer.concat([waiting, piece]);
		for (let frame; (frame = parse(waiting));) {
			waiting = waiting.subarray(frame.used);
			const opcode = frame.opcode === 9 ? 10 : frame.opcode; // a ping's answer is a pong
			socket.write(build(opcode, frame.content));
			if (opcode === 8) return socket.end();
		}
	};
	socket.on('data', take);
	socket.on('end', () => socket.end());
	socket.on('error', () => socket.destroy());
	take(Buffer.alloc(0));
});

function parse(b) {
	if (b.length < 2) return null;
	let length = b[1] & 127, at = 2;
	if (length === 126) {
		if (b.length < 4) return null;
		length = b.readUInt16BE(2);
		at = 4;
	} else if (length === 127) {
		if (b.length < 10) return null;
		length = Number(b.readBigUInt64BE(2));
		at = 10;
	}
	if (b.length < at + 4 + length) return null;
	const mask = b.subarray(at, at + 4), content = Buffer.from(b.subarray(at + 4, at + 4 + length));
	for (let i = 0; i < length; i++) content[i] ^= mask[i & 3];
	return { opcode: b[0] & 15, content, used: at + 4 + length };
}

function build(opcode, content) {
	const n = content.length, head = Buffer.alloc(n < 126 ? 2 : n < 65536 ? 4 : 10);
	head[0] = 128 | opcode;
	if (n < 126) {
		head[1] = n;
	} else if (n < 65536) {
		head[1] = 126;
		head.writeUInt16BE(n, 2);
	} else {
		head[1] = 127;
		head.writeBigUInt64BE(BigInt(n), 2);
	}
	return Buffer.concat([head, content]);
}

server.listen(+port, host);
process.on('SIGTERM', () => process.exit(0));
