package cloudsim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// scope is what a page token belongs to: the operation, the environment and the filters. If a fault
// holds for the rest of the listing, the fault belongs to the scope too.
type scope [8]byte

func newScope(op Op, environment string, f filter, fault string) scope {
	f.view, f.only = ViewAll, nil // the key or the fault decides these
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %s %s", op, environment, f.key(), fault))
	return scope(sum[:8])
}

// tokenSealer makes page tokens from cursors and reads them back. A token is one encrypted block
// with the cursor and the scope. It looks random, and the Sim need not remember it. A token that
// was made up, or that is from elsewhere, has the wrong scope. Another simulator cannot read it.
type tokenSealer struct{ block cipher.Block }

func newTokenSealer() tokenSealer {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails, by its documentation
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // happens only for a key of another length
	}
	return tokenSealer{block}
}

func (t tokenSealer) seal(cursor uint64, s scope) string {
	b := binary.BigEndian.AppendUint64(nil, cursor)
	b = append(b, s[:]...)
	t.block.Encrypt(b, b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (t tokenSealer) open(token string, s scope) (cursor uint64, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != aes.BlockSize {
		return 0, false
	}
	t.block.Decrypt(b, b)
	return binary.BigEndian.Uint64(b), scope(b[8:]) == s
}
