package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"slices"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

type encoder interface {
	io.WriteCloser
	Flush() error
}

type coding struct {
	reader func(from *bytes.Reader) (io.Reader, error)
	writer func(to io.Writer, size int) (encoder, error)
}

// The level hangs on the body's size, so that all have their turn.
var codings = map[string]coding{
	"gzip": {
		func(from *bytes.Reader) (io.Reader, error) { return gzip.NewReader(from) },
		func(to io.Writer, size int) (encoder, error) { return gzip.NewWriterLevel(to, size%10) },
	},
	"deflate": {
		func(from *bytes.Reader) (io.Reader, error) { return zlib.NewReader(from) },
		func(to io.Writer, size int) (encoder, error) { return zlib.NewWriterLevel(to, size%10) },
	},
	"br": {
		func(from *bytes.Reader) (io.Reader, error) { return brotli.NewReader(from), nil },
		func(to io.Writer, size int) (encoder, error) { return brotli.NewWriterLevel(to, size%12), nil },
	},
	"zstd": {
		func(from *bytes.Reader) (io.Reader, error) {
			return zstd.NewReader(from, zstd.WithDecoderConcurrency(1))
		},
		func(to io.Writer, size int) (encoder, error) {
			level := zstd.EncoderLevelFromZstd(1 + size%19)
			// What HTTP allows is 8 MiB (RFC 9659); the best levels take more.
			return zstd.NewWriter(to, zstd.WithEncoderLevel(level), zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
		},
	},
}

func (c coding) decode(pieces [][]byte) ([]byte, error) {
	from := bytes.NewReader(slices.Concat(pieces...))
	reader, err := c.reader(from)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(reader)
	if err == nil && from.Len() > 0 {
		err = errors.New("something is behind the end")
	}
	return plain, err
}

// Each piece is flushed.
func (c coding) encode(pieces [][]byte) ([]byte, error) {
	size := 0
	for _, piece := range pieces {
		size += len(piece)
	}
	var out bytes.Buffer
	writer, err := c.writer(&out, size)
	if err != nil {
		return nil, err
	}
	for _, piece := range pieces {
		if _, err := writer.Write(piece); err != nil {
			return nil, err
		}
		if err := writer.Flush(); err != nil {
			return nil, err
		}
	}
	err = writer.Close()
	return out.Bytes(), err
}
