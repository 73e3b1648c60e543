package esdbtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
)

// authenticate wants the credentials of the options from every call on a stream. Discovery is free
// for all, since the client sends none with it.
func (s *Server) authenticate(ctx context.Context, method string) error {
	if s.options.User == "" || !strings.HasPrefix(method, "/event_store.client.streams.") {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	given := md.Get("authorization")
	if len(given) == 0 {
		return errAccessDenied(ctx) // nobody is somebody there, only without rights
	}
	want := base64.StdEncoding.EncodeToString([]byte(s.options.User + ":" + s.options.Password))
	if given[0] != "Basic "+want {
		return errUnauthenticated()
	}
	return nil
}

// authority is a certificate authority made for one server, and the certificate it gave it.
type authority struct {
	dir, file   string
	certificate tls.Certificate
}

const certificateAge = 24 * time.Hour

func newAuthority(now time.Time) (*authority, error) {
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "esdbtest CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateAge),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	caBytes, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "eventstoredb-node"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leafBytes, err := x509.CreateCertificate(rand.Reader, leaf, ca, &leafKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	a := &authority{certificate: tls.Certificate{Certificate: [][]byte{leafBytes}, PrivateKey: leafKey}}
	return a, a.save(caBytes)
}

func (a *authority) save(ca []byte) error {
	dir, err := os.MkdirTemp("", "esdbtest")
	if err != nil {
		return err
	}
	a.dir, a.file = dir, filepath.Join(dir, "ca.crt")
	return os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca}), 0o600)
}
