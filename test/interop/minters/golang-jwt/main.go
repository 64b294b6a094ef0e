// golang-jwt as a minter: an order on standard input, what became of each of its tokens on standard output (minter.ts).
package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/golang-jwt/jwt/v5"
)

type order struct {
	Keys map[string]struct {
		Pem string `json:"pem"`
	} `json:"keys"`
	Tokens []wanted `json:"tokens"`
}

type wanted struct {
	ID     string         `json:"id"`
	Alg    string         `json:"alg"`
	Key    string         `json:"key"`
	Secret string         `json:"secret"`
	Header map[string]any `json:"header"`
	Claims jwt.MapClaims  `json:"claims"`
}

type made struct {
	Token string `json:"token"`
	Layer string `json:"layer"`
}

func main() {
	var asked order
	input := json.NewDecoder(os.Stdin)
	input.UseNumber()
	must(struct{}{}, input.Decode(&asked))
	minted := map[string]made{}
	for _, one := range asked.Tokens {
		minted[one.ID] = made{Token: mint(one, asked), Layer: "jwt"}
	}
	output := map[string]any{"version": version(), "minted": minted}
	must(struct{}{}, json.NewEncoder(os.Stdout).Encode(output))
}

func mint(one wanted, asked order) string {
	token := jwt.NewWithClaims(jwt.GetSigningMethod(one.Alg), one.Claims)
	for name, value := range one.Header {
		token.Header[name] = value
	}
	return must(token.SignedString(keyOf(one, asked)))
}

func keyOf(one wanted, asked order) any {
	if one.Alg == "none" {
		return jwt.UnsafeAllowNoneSignatureType
	}
	if one.Secret != "" {
		return must(base64.StdEncoding.DecodeString(one.Secret))
	}
	block, _ := pem.Decode([]byte(asked.Keys[one.Key].Pem))
	return must(x509.ParsePKCS8PrivateKey(block.Bytes))
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/golang-jwt/jwt/v5" {
			return module.Version[1:]
		}
	}
	return "unknown"
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}
