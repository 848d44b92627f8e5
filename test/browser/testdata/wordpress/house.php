<?php
/**
 * Plugin Name: What this machine needs
 *
 * There is no network but loopback, so nothing may ask for something from
 * outside; and pages are cacheable, so that a cache has something to do wrong.
 */

// The application calls itself (cron, its test of pretty links) by its public
// name. No resolver knows that name; the address is where visitors arrive.
add_action(
	'requests-fsockopen.remote_socket',
	function ( &$socket ) {
		$socket = 'tcp://{visitors}';
	}
);

// Pattern directory and avatars live on the project's own servers.
add_filter( 'should_load_remote_block_patterns', '__return_false' );
add_filter( 'pre_option_show_avatars', '__return_zero' );

// The editor's welcome shows pictures from the project's servers.
add_action(
	'wp_install',
	function ( $user ) {
		global $wpdb;
		update_user_meta(
			$user->ID,
			$wpdb->get_blog_prefix() . 'persisted_preferences',
			array(
				'core/edit-post' => array( 'welcomeGuide' => false ),
				'_modified'      => gmdate( 'c' ),
			)
		);
	}
);

// A stranger's page may be stored by a shared cache, and whoever has cookies
// must not get it, nor the other way round.
add_action(
	'send_headers',
	function () {
		header( 'Vary: Cookie', false );
		if ( ! is_user_logged_in() ) {
			header( 'Cache-Control: public, max-age=0, s-maxage=60' );
		}
	}
);
