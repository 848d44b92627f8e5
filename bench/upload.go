package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// uploadScript makes wrk send what originBody(path1M) says.
//
//go:embed config/wrk/upload.lua
var uploadScript []byte

// uploadPieces are read buffers, small enough to stay in the processor's
// cache while a piece is received and compared.
var uploadPieces = sync.Pool{New: func() any { return new([64 << 10]byte) }}

var (
	uploadTaken   = []byte("HTTP/1.1 204 No Content\r\nServer: origin\r\nCache-Control: no-store\r\n\r\n")
	uploadWrong   = []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	uploadUnknown = []byte("HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
)

// swallow reads the body of an upload, of which early is already here, and
// compares every byte; taken says how much of early belonged to it. Only
// uploads that came through whole are counted.
func (o *origin) swallow(conn net.Conn, head, early []byte) (answer []byte, taken int, err error) {
	length, err := strconv.Atoi(string(field(head, "Content-Length")))
	if err != nil || length < 0 {
		return uploadUnknown, len(early), nil
	}
	taken = min(len(early), length)
	got, right := 0, length == len(o.upload)
	compare := func(piece []byte) {
		right = right && bytes.Equal(piece, o.upload[got:got+len(piece)])
		got += len(piece)
	}
	compare(early[:taken])
	piece := uploadPieces.Get().(*[64 << 10]byte)
	defer uploadPieces.Put(piece)
	for got < length {
		n, err := conn.Read(piece[:min(len(piece), length-got)])
		if err != nil {
			return nil, taken, fmt.Errorf("read upload: %w", err)
		}
		compare(piece[:n])
	}
	if !right {
		return uploadWrong, taken, nil
	}
	o.served.Add(1)
	return uploadTaken, taken, nil
}

// checkUpload sends what wrk will send on a new connection. The origin says
// whether it arrived.
func checkUpload(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "POST", "http://"+address+pathUpload, bytes.NewReader(originBody(path1M)))
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	if response.StatusCode != 204 {
		return fmt.Errorf("upload: status %d, want the origin's 204", response.StatusCode)
	}
	return nil
}
