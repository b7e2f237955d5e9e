// The blocks' other implementation, in Go: blocks_oracle decode|encode <coding>, blocks_oracle read|write. It is given cases, and
// answers with a line for each, as the drivers beside it do (pieces.h).
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
)

func readCase(from io.Reader) ([][]byte, error) {
	var count uint32
	if err := binary.Read(from, binary.LittleEndian, &count); err != nil {
		return nil, err
	}
	pieces := make([][]byte, count)
	for i := range pieces {
		var size uint32
		if err := binary.Read(from, binary.LittleEndian, &size); err != nil {
			return nil, err
		}
		pieces[i] = make([]byte, size)
		if _, err := io.ReadFull(from, pieces[i]); err != nil {
			return nil, err
		}
	}
	return pieces, nil
}

func hexed(bytes []byte) string { return "x" + hex.EncodeToString(bytes) }

func told(bytes []byte, err error) string {
	if err != nil {
		return "!" + err.Error()
	}
	return hexed(bytes)
}

func handler(arguments []string) (func(pieces [][]byte) string, error) {
	if len(arguments) == 2 {
		coding, known := codings[arguments[1]]
		switch {
		case known && arguments[0] == "decode":
			return func(pieces [][]byte) string { return told(coding.decode(pieces)) }, nil
		case known && arguments[0] == "encode":
			return func(pieces [][]byte) string { return told(coding.encode(pieces)) }, nil
		}
	}
	if len(arguments) == 1 {
		switch arguments[0] {
		case "read":
			return readEvents, nil
		case "write":
			return writeEvent, nil
		}
	}
	return nil, fmt.Errorf("no such arguments: %q", arguments)
}

func main() {
	handle, err := handler(os.Args[1:])
	if err != nil {
		log.Fatal(err)
	}
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		pieces, err := readCase(in)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintln(out, handle(pieces))
	}
}
