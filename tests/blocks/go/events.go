package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	byteOrderMark = []byte("\xef\xbb\xbf")
	lineEnd       = regexp.MustCompile("\r\n|\n|\r")
)

// The HTML Standard, 9.2.6: what a client is told of a stream, event by event: type, data, last id. Then the stream's size.
func readEvents(pieces [][]byte) string {
	stream := slices.Concat(pieces...)
	var told strings.Builder
	var data, kind, lastID []byte
	lines := bytes.TrimPrefix(stream, byteOrderMark)
	for {
		end := lineEnd.FindIndex(lines)
		if end == nil {
			// What has no end is no line, and without an empty one no event.
			break
		}
		line := lines[:end[0]]
		lines = lines[end[1]:]
		if len(line) == 0 {
			if data != nil {
				if len(kind) == 0 {
					kind = []byte("message")
				}
				fmt.Fprintf(&told, "%s,%s,%s ", hexed(kind), hexed(data[:len(data)-1]), hexed(lastID))
			}
			data, kind = nil, nil
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			data = append(append(data, value...), '\n')
		case "event":
			kind = value
		case "id":
			if !bytes.Contains(value, []byte{0}) {
				lastID = value
			}
		}
	}
	fmt.Fprintf(&told, "%d", len(stream))
	return told.String()
}

// An event as a server writes it, from its type, data and id.
func writeEvent(pieces [][]byte) string {
	var text bytes.Buffer
	if len(pieces[0]) > 0 {
		fmt.Fprintf(&text, "event: %s\n", pieces[0])
	}
	if len(pieces[2]) > 0 {
		fmt.Fprintf(&text, "id: %s\n", pieces[2])
	}
	for _, line := range lineEnd.Split(string(pieces[1]), -1) {
		fmt.Fprintf(&text, "data: %s\n", line)
	}
	text.WriteString("\n")
	return hexed(text.Bytes())
}
