-- 1 MiB of the style sheet that the origin compares uploads with. There is no
-- request() here, so wrk builds the request once and sends the same bytes again.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = string.rep("a { color: #0b7285; margin: 0 }\n", 32768)
