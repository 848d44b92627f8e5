<?php
// WP_HOME and WP_SITEURL are left out on purpose: the application takes its
// name from the Host it sees while it is installed, and so proves that the
// edge hands it on.
define( 'DB_NAME', 'site' );
define( 'DB_USER', 'site' );
define( 'DB_PASSWORD', 'only on this machine' );
define( 'DB_HOST', 'localhost:{stage}/database/socket' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
$table_prefix = 'wp_';

define( 'AUTH_KEY', 'a fixed text will do: 1' );
define( 'SECURE_AUTH_KEY', 'a fixed text will do: 2' );
define( 'LOGGED_IN_KEY', 'a fixed text will do: 3' );
define( 'NONCE_KEY', 'a fixed text will do: 4' );
define( 'AUTH_SALT', 'a fixed text will do: 5' );
define( 'SECURE_AUTH_SALT', 'a fixed text will do: 6' );
define( 'LOGGED_IN_SALT', 'a fixed text will do: 7' );
define( 'NONCE_SALT', 'a fixed text will do: 8' );

define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'FS_METHOD', 'direct' );

if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
