<?php
// The application of these stories in PHP. Node's and Python's are the same.
$path = strtok($_SERVER['REQUEST_URI'], '?');
$method = $_SERVER['REQUEST_METHOD'];

function page(string $text, int $status = 200): void {
	http_response_code($status);
	header('Content-Type: text/plain; charset=utf-8');
	header('Cache-Control: no-store');
	echo $text, "\n";
}

function move(string $to): void {
	header("Location: $to", true, 303);
	header('Cache-Control: no-store');
}

// Nothing between us and the web server may hold anything back.
function stream(string $type): void {
	header("Content-Type: $type");
	header('Cache-Control: no-store');
	header('X-Accel-Buffering: no');
}

function say(string $text): void {
	echo $text;
	flush();
}

switch ("$method $path") {
case 'GET /app/login':
	page('who are you?');
	break;
case 'POST /app/login':
	if (($_POST['user'] ?? '') !== 'ada' || ($_POST['password'] ?? '') !== 'länger & besser') {
		page('wrong', 403);
		break;
	}
	session_name('session');
	session_set_cookie_params(['path' => '/app', 'httponly' => true, 'samesite' => 'Lax']);
	session_start();
	$_SESSION['user'] = $_POST['user'];
	move('/app/private');
	break;
case 'GET /app/private':
	session_name('session');
	if (!isset($_COOKIE['session']) || !session_start() || !isset($_SESSION['user'])) {
		header('Location: /app/login', true, 302);
		header('Cache-Control: no-store');
		break;
	}
	page('hello ' . $_SESSION['user']);
	break;
case 'POST /app/logout':
	session_name('session');
	session_start();
	session_destroy();
	setcookie('session', '', ['expires' => 1, 'path' => '/app']);
	move('/app/login');
	break;
case 'POST /app/upload':
	if (isset($_FILES['file'])) {
		$f = $_FILES['file'];
		page(sprintf('%s %d %s %s', $f['name'], $f['size'], hash_file('sha256', $f['tmp_name']), $_POST['note'] ?? ''));
		break;
	}
	$hash = hash_init('sha256');
	$size = hash_update_stream($hash, fopen('php://input', 'rb'));
	page(sprintf('raw %d %s', $size, hash_final($hash)));
	break;
case 'GET /app/events':
	stream('text/event-stream');
	$told = fopen($_GET['channel'], 'rb');
	say(": here\n\n");
	while (($line = fgets($told)) !== false) {
		say("data: $line\n");
	}
	break;
case 'GET /app/poll':
	page('it is ' . trim(fgets(fopen($_GET['channel'], 'rb'))));
	break;
case 'GET /app/slow':
	sleep(2);
	page('at last');
	break;
case 'GET /app/dies':
	stream('text/plain');
	say(str_repeat('half ', 1000));
	posix_kill(getmypid(), 9);
	break;
case 'GET /app/short':
	header('Content-Length: 10000');
	stream('text/plain');
	say(str_repeat('half ', 1000));
	exit;
case 'GET /app/leaves':
	stream('text/plain');
	say(str_repeat('half ', 1000));
	exit;
case 'GET /app/fails':
	page('it broke', 500);
	break;
case 'GET /app/gzip':
	header('Content-Type: text/plain');
	header('Content-Encoding: gzip');
	header('Vary: Accept-Encoding');
	header('Cache-Control: max-age=60');
	echo gzencode(str_repeat("the same line again\n", 5000), 6);
	break;
case 'GET /app/moved':
	$own = $_GET['own'];
	header("Location: http://$own/app/login", true, 302);
	header("Content-Location: http://$own/app/moved");
	header("Refresh: 5; url=http://$own/app/login");
	header("Link: <http://$own/app/next>; rel=\"next\"");
	header('Set-Cookie: place=here; Path=/; Domain=' . explode(':', $own)[0]);
	header('Cache-Control: no-store');
	break;
case 'GET /app/seen':
	page(json_encode([
		'host' => $_SERVER['HTTP_HOST'], 'for' => $_SERVER['HTTP_X_FORWARDED_FOR'] ?? '',
		'proto' => $_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '', 'query' => $_SERVER['QUERY_STRING'],
	], JSON_UNESCAPED_SLASHES));
	break;
default:
	page('no such page', 404);
}
