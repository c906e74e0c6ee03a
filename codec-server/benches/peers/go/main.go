// A codec server as Temporal's Go samples build one: the SDK's HTTP handler around an AES-GCM codec.
// It is what benches/decode compares with.
//
//	go run . KEY_ID BASE64_KEY
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const encrypted = "binary/encrypted"

type codec struct {
	id  string
	key []byte
}

// The samples expand the key for each payload; so does this.
func (c codec) cipher() (cipher.AEAD, error) {
	block, err := aes.NewCipher(c.key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (c codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	result := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		plain, err := proto.Marshal(payload)
		if err != nil {
			return payloads, err
		}
		gcm, err := c.cipher()
		if err != nil {
			return payloads, err
		}
		nonce := make([]byte, gcm.NonceSize())
		if _, err := rand.Read(nonce); err != nil {
			return payloads, err
		}
		result[i] = &commonpb.Payload{
			Metadata: map[string][]byte{
				converter.MetadataEncoding: []byte(encrypted),
				"encryption-key-id":        []byte(c.id),
			},
			Data: gcm.Seal(nonce, nonce, plain, nil),
		}
	}
	return result, nil
}

func (c codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	result := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		if string(payload.Metadata[converter.MetadataEncoding]) != encrypted {
			result[i] = payload
			continue
		}
		gcm, err := c.cipher()
		if err != nil {
			return payloads, err
		}
		size := gcm.NonceSize()
		if len(payload.Data) < size {
			return payloads, fmt.Errorf("too short")
		}
		plain, err := gcm.Open(nil, payload.Data[:size], payload.Data[size:], nil)
		if err != nil {
			return payloads, err
		}
		result[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, result[i]); err != nil {
			return payloads, err
		}
	}
	return result, nil
}

func main() {
	key, err := base64.StdEncoding.DecodeString(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	handler := converter.NewPayloadCodecHTTPHandler(codec{id: os.Args[1], key: key})
	log.Fatal(http.Serve(listener, handler))
}
