package awssim

import (
	"encoding/base64"
	"errors"
	"strings"
)

var errToken = errors.New("token is not valid")

// listing cuts one page out of members that are in the order of their keys, and makes the token of the next page. A token
// holds a key, so that a member that comes or goes between two pages moves no other.
func listing[T any](k *call, members []T, key func(T) string, size int, token string) (shown []T, next string, err error) {
	prefix := tokenPrefix + k.Operation + ":"
	if token != "" {
		text, err := base64.URLEncoding.DecodeString(token)
		first, ok := strings.CutPrefix(string(text), prefix)
		if err != nil || !ok {
			return nil, "", errToken
		}
		for len(members) > 0 && key(members[0]) < first {
			members = members[1:]
		}
	}
	if k.effects.partial && token == "" {
		return members[:(len(members)+1)/2], base64.URLEncoding.EncodeToString([]byte(tokenPrefix + "cut")), nil
	}
	if size <= 0 || len(members) <= size {
		return members, "", nil
	}
	return members[:size], base64.URLEncoding.EncodeToString([]byte(prefix + key(members[size]))), nil
}
