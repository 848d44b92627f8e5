vcl 4.1;
# The built-in rules do the caching; only the origin is named here.
backend origin {
    .host = "127.0.0.1";
    .port = "{{.OriginPort}}";
}
