// A client of grpc-go: one scenario against one address, and what came of it as a line of JSON. It sends and takes bytes as they are.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

const method = "/envoy.service.auth.v3.Authorization/Check"

// raw passes bytes through; the name is that of protobuf, so that the content type is Envoy's.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }
func (raw) Name() string                       { return "proto" }

func check(ctx context.Context, conn *grpc.ClientConn, message []byte) ([]byte, error) {
	var answer []byte
	err := conn.Invoke(ctx, method, &message, &answer, grpc.ForceCodec(raw{}))
	return answer, err
}

type result struct {
	// How often each status came.
	Codes map[string]int `json:"codes"`
	// Answers that were not what the server should have said.
	Wrong int `json:"wrong"`
	// What the scenario noted, in order.
	Notes []string `json:"notes"`
}

type tally struct {
	sync.Mutex
	result
}

func (t *tally) add(message, answer []byte, err error) {
	t.Lock()
	defer t.Unlock()
	t.Codes[status.Code(err).String()]++
	if err == nil && !bytes.Equal(message, answer) {
		t.Wrong++
	}
}

func (t *tally) note(format string, values ...any) {
	t.Lock()
	defer t.Unlock()
	t.Notes = append(t.Notes, fmt.Sprintf(format, values...))
	fmt.Fprintln(os.Stderr, t.Notes[len(t.Notes)-1])
}

// concurrent makes `calls` checks in each of `workers` goroutines.
func concurrent(conn *grpc.ClientConn, t *tally, workers, calls, size int) {
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for call := range calls {
				message := bytes.Repeat([]byte{byte(worker), byte(call)}, size/2)
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				answer, err := check(ctx, conn, message)
				cancel()
				t.add(message, answer, err)
			}
		})
	}
	wait.Wait()
}

func watch(ctx context.Context, conn *grpc.ClientConn, t *tally) {
	stream, err := grpc_health_v1.NewHealthClient(conn).Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	for err == nil {
		var answer *grpc_health_v1.HealthCheckResponse
		if answer, err = stream.Recv(); err == nil {
			t.note("%s", answer.GetStatus())
		}
	}
	t.note("%s", err)
}

func scenario(name string, conn *grpc.ClientConn, t *tally) {
	ctx := context.Background()
	switch name {
	case "sizes":
		for _, size := range []int{0, 2, 100, 16_384, 16_390, 65_536, 200_000} {
			concurrent(conn, t, 1, 1, size)
		}
	case "many":
		concurrent(conn, t, 3000, 20, 600)
	case "large":
		concurrent(conn, t, 200, 5, 200_000)
	case "deadline":
		for range 20 {
			limited, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			_, err := check(limited, conn, []byte("never"))
			cancel()
			t.add(nil, nil, err)
		}
	case "cancel":
		var wait sync.WaitGroup
		for range 500 {
			wait.Go(func() {
				limited, cancel := context.WithCancel(ctx)
				time.AfterFunc(20*time.Millisecond, cancel)
				_, err := check(limited, conn, []byte("never"))
				t.add(nil, nil, err)
			})
		}
		wait.Wait()
	case "too-large":
		_, err := check(ctx, conn, make([]byte, 300_000))
		t.add(nil, nil, err)
		concurrent(conn, t, 1, 1, 100)
	case "health":
		for _, service := range []string{"", "envoy.service.auth.v3.Authorization", "other"} {
			answer, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
			t.note("%q %s %s", service, answer.GetStatus(), status.Code(err))
		}
	case "watch":
		watch(ctx, conn, t)
	case "idle":
		// Two pings of keepalive while there is nothing to ask; a connection whose pings are not answered is given up.
		concurrent(conn, t, 1, 1, 100)
		limited, cancel := context.WithTimeout(ctx, 23*time.Second)
		defer cancel()
		isLost := conn.WaitForStateChange(limited, connectivity.Ready)
		t.note("lost %t", isLost)
		concurrent(conn, t, 1, 1, 100)
	case "until-gone":
		for {
			limited, cancel := context.WithTimeout(ctx, 5*time.Second)
			_, err := check(limited, conn, []byte("x"))
			cancel()
			t.add(nil, nil, err)
			if err != nil {
				t.note("%s", err)
				return
			}
			if t.Codes["OK"] == 100 {
				t.note("busy")
			}
		}
	}
}

func credentialsFrom(ca, cert, key string) (credentials.TransportCredentials, error) {
	if ca == "" {
		return insecure.NewCredentials(), nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	config.RootCAs.AppendCertsFromPEM(pem)
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config), nil
}

func main() {
	ca := flag.String("ca", "", "PEM file: TLS with a server of this authority")
	cert := flag.String("cert", "", "PEM file: our certificate")
	key := flag.String("key", "", "PEM file: its key")
	flag.Parse()
	creds, err := credentialsFrom(*ca, *cert, *key)
	if err == nil {
		var conn *grpc.ClientConn
		conn, err = grpc.NewClient("passthrough:///"+flag.Arg(0),
			grpc.WithTransportCredentials(creds),
			grpc.WithDisableRetry(),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: time.Second, PermitWithoutStream: true}))
		if err == nil {
			t := &tally{result: result{Codes: map[string]int{}, Notes: []string{}}}
			scenario(flag.Arg(1), conn, t)
			err = json.NewEncoder(os.Stdout).Encode(t.result)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
