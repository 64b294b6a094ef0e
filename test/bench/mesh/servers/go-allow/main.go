// An authorizer that allows everything, with grpc-go and without decoding: the least that one in Go can cost.
//
//	go-allow PORT
package main

import (
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
)

type bytesCodec struct{}

func (bytesCodec) Name() string                       { return "proto" }
func (bytesCodec) Marshal(value any) ([]byte, error)  { return *value.(*[]byte), nil }
func (bytesCodec) Unmarshal(data []byte, to any) error { *to.(*[]byte) = data; return nil }

// CheckResponse: an empty status (code 0) and an empty ok_response.
var allow = []byte{0x0a, 0x00, 0x1a, 0x00}

func check(_ any, stream grpc.ServerStream) error {
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	return stream.SendMsg(&allow)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}), grpc.UnknownServiceHandler(check))
	fmt.Println("listening")
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
