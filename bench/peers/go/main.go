// The benchmark's processor on grpc-go and go-control-plane.
//
// Options as a service under load has them: workers that keep their goroutines' stacks from stream to
// stream, windows as large as the other servers', GOMAXPROCS set to the threads that were asked for.
package main

import (
	"bytes"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
)

const replacementBytes = 1 << 20

func listen(address string) (net.Listener, error) {
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix {
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", address)
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "host:port or unix:path")
	variant := flag.String("variant", "headers", "headers, buffered, streamed, fds or gateway")
	threads := flag.Int("threads", 1, "GOMAXPROCS")
	flag.Parse()

	runtime.GOMAXPROCS(*threads)
	listener, err := listen(*address)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(
		grpc.NumStreamWorkers(uint32(*threads)),
		grpc.MaxRecvMsgSize(16<<20),
		grpc.InitialWindowSize(1<<20),
		grpc.InitialConnWindowSize(16<<20),
	)
	if *variant == "gateway" {
		extproc.RegisterExternalProcessorServer(server, gateway{})
	} else {
		extproc.RegisterExternalProcessorServer(server, &processor{
			variant:     *variant,
			replacement: bytes.Repeat([]byte("r"), replacementBytes),
		})
	}

	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	go func() {
		<-terminate
		server.Stop()
	}()
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
