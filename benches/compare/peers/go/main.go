// The greeting flow on Temporal's Go SDK, encrypted as its sample does it.
package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log"
	"log/slog"
	"os"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"
)

const encrypted = "binary/encrypted"

// codec seals whole payloads: nonce, ciphertext and tag are the data of the outer one.
type codec struct {
	keyID string
	aead  cipher.AEAD
}

func (c *codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, c.seal)
}

func (c *codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, c.open)
}

func (c *codec) seal(payload *commonpb.Payload) (*commonpb.Payload, error) {
	plain, err := proto.Marshal(payload)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, c.aead.NonceSize(), c.aead.NonceSize()+len(plain)+c.aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	metadata := map[string][]byte{"encoding": []byte(encrypted), "encryption-key-id": []byte(c.keyID)}
	return &commonpb.Payload{Metadata: metadata, Data: c.aead.Seal(nonce, nonce, plain, nil)}, nil
}

func (c *codec) open(payload *commonpb.Payload) (*commonpb.Payload, error) {
	if string(payload.GetMetadata()["encoding"]) != encrypted {
		return payload, nil
	}
	nonce, sealed := payload.Data[:c.aead.NonceSize()], payload.Data[c.aead.NonceSize():]
	plain, err := c.aead.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	opened := &commonpb.Payload{}
	return opened, proto.Unmarshal(plain, opened)
}

func each(payloads []*commonpb.Payload, do func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	result := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		done, err := do(payload)
		if err != nil {
			return payloads, err
		}
		result[i] = done
	}
	return result, nil
}

func GreetingWorkflow(ctx workflow.Context, name string) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
	text := name
	for _, activity := range []any{greet, process, finish} {
		if err := workflow.ExecuteActivity(ctx, activity, text).Get(ctx, &text); err != nil {
			return "", err
		}
	}
	return text, nil
}

func greet(_ context.Context, name string) (string, error) { return "Hello, " + name + "!", nil }

func process(_ context.Context, greeting string) (string, error) {
	return "Processed: " + greeting, nil
}

func finish(_ context.Context, processed string) (string, error) {
	return "Final result: " + processed, nil
}

func fromFile(path string) *codec {
	var ring struct {
		Active string
		Keys   map[string]string
	}
	text, err := os.ReadFile(path)
	fatal(err)
	fatal(json.Unmarshal(text, &ring))
	key, err := base64.StdEncoding.DecodeString(ring.Keys[ring.Active])
	fatal(err)
	block, err := aes.NewCipher(key)
	fatal(err)
	aead, err := cipher.NewGCM(block)
	fatal(err)
	return &codec{keyID: ring.Active, aead: aead}
}

func fatal(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	data := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), fromFile(os.Getenv("SEALANE_KEY_FILE")))
	// As quiet as the others: the SDK's own logger has no level and writes lines for each activity.
	handler := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})
	logger := sdklog.NewStructuredLogger(slog.New(handler))
	connection, err := client.Dial(client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS"), DataConverter: data, Logger: logger})
	fatal(err)
	defer connection.Close()
	host := worker.New(connection, os.Getenv("TEMPORAL_TASK_QUEUE"), worker.Options{})
	host.RegisterWorkflow(GreetingWorkflow)
	host.RegisterActivity(greet)
	host.RegisterActivity(process)
	host.RegisterActivity(finish)
	fatal(host.Run(worker.InterruptCh()))
}
