// Starts the suite's origin:
//
//	node origin.mjs ADDRESS
//
// By itself it listens on every address of the machine, and here on one alone;
// it prints the port that the kernel chose.
//
// One test has the origin send a Transfer-Encoding that is none. Such an
// answer goes on until the connection closes (RFC 9112, 6.3), which Node does
// only when the connection has been idle for some seconds. Here it closes at
// once.
import { ServerResponse } from 'http'
import { Server } from 'net'

const { listen } = Server.prototype
Server.prototype.listen = function () {
	return listen.call(this, 0, process.argv[2])
}

const { end } = ServerResponse.prototype
ServerResponse.prototype.end = function (...content) {
	if (this.hasHeader('Transfer-Encoding')) this.shouldKeepAlive = false
	return end.apply(this, content)
}

process.env.npm_config_protocol = 'http'
process.env.npm_config_port = '0'
process.env.npm_config_pidfile = '/dev/null'
await import('http-cache-tests/server/server.mjs')
