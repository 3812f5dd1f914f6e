// Package tipmail speaks to a listener of tips from outside: for a unit that reads and replies, and
// for a citizen who does not want to trust a page. Everything is sealed and opened here.
package tipmail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"jedel/internal/fault"
	"jedel/internal/tips"
	"jedel/recorder/keys"
)

// Client is one listener. Proxy settings of the environment hold, so that it can be reached through Tor.
type Client struct {
	Server string // "https://tips.example.kz"
	HTTP   *http.Client
}

// Unit is a unit as the listener tells of it. Nobody vouches for its keys but the fingerprint.
type Unit struct {
	Key        string     `json:"key"`
	Names      fault.Text `json:"names"`
	Recipients []string   `json:"recipients"`
}

// Start is what a citizen needs to write.
type Start struct {
	Units     []Unit `json:"units"`
	Challenge string `json:"challenge"`
	StampBits int    `json:"stampBits"`
}

// Entry is a line of a unit's list.
type Entry struct {
	Letter  string `json:"letter"`
	Mailbox string `json:"mailbox"`
	Day     string `json:"day"`
	Bytes   int    `json:"bytes"`
}

// maxAnswer bounds what is read of an answer in bytes: the largest sealed letter is shorter.
const maxAnswer = 32 << 20

// do sends one request. A refusal comes back as a fault with its code.
func (c Client) do(ctx context.Context, method, path string, head map[string]string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Server, "/")+"/api/v1/tips"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "")
	for k, v := range head {
		req.Header.Set(k, v)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(raw) > maxAnswer:
		return nil, errors.New("the answer is too long")
	case res.StatusCode < 300:
		return raw, nil
	}
	var refusal struct {
		Error struct {
			Code fault.Code `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(raw, &refusal) != nil || refusal.Error.Code == "" {
		return nil, fmt.Errorf("%s: status %d", path, res.StatusCode)
	}
	return nil, fault.New(refusal.Error.Code, method+" "+path, nil)
}

func ask[T any](ctx context.Context, c Client, path string, head map[string]string) (v T, err error) {
	raw, err := c.do(ctx, http.MethodGet, path, head, nil)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("answer: %w", err)
	}
	return v, nil
}

// Begin asks what is needed to write.
func (c Client) Begin(ctx context.Context) (Start, error) {
	return ask[Start](ctx, c, "", nil)
}

// Send seals a tip to a unit, does the work for its stamp and sends it. The letter's reply is set.
func (c Client) Send(ctx context.Context, s Start, u Unit, code tips.Code, l tips.Letter) error {
	me, err := identity(code)
	if err != nil {
		return err
	}
	l.Kind, l.Reply = tips.Tip, me.Recipient("").Text
	sealed, class, err := seal(l, u.Recipients...)
	if err != nil {
		return err
	}
	challenge, err := tips.ParseChallenge(s.Challenge)
	if err != nil {
		return err
	}
	id := tips.IDOf(sealed)
	stamp := tips.Make(challenge, tips.Bits(s.StampBits, class), code.Key().Mailbox(), id)
	_, err = c.do(ctx, http.MethodPost, "/units/"+u.Key+"/letters", map[string]string{
		"Tip-Mailbox": code.Key().Text(), "Tip-Letter": id.String(), "Tip-Stamp": stamp.Text(),
	}, sealed)
	return err
}

func identity(code tips.Code) (keys.Identity, error) {
	ids, err := keys.ParseIdentities(code.Identity())
	if err != nil {
		return keys.Identity{}, err
	}
	return ids[0], nil
}

func seal(l tips.Letter, recipients ...string) ([]byte, tips.Class, error) {
	packed, err := l.Pack()
	if err != nil {
		return nil, 0, err
	}
	class, err := tips.ClassOf(len(packed))
	if err != nil {
		return nil, 0, err
	}
	to, err := keys.ParseRecipients(strings.Join(recipients, "\n"))
	if err != nil {
		return nil, 0, err
	}
	sealed, err := keys.Seal(packed, to)
	return sealed, class, err
}

func open(sealed []byte, kind string, ids ...keys.Identity) (tips.Letter, error) {
	raw, err := keys.Open(sealed, tips.Largest.Bytes(), ids...)
	if err != nil {
		return tips.Letter{}, err
	}
	l, err := tips.ParseLetter(raw)
	if err == nil && l.Kind != kind {
		err = tips.ErrFormat
	}
	return l, err
}

// Received is a reply and its day.
type Received struct {
	Day    string
	Letter tips.Letter
}

// Replies opens what lies in the mailbox of a code.
func (c Client) Replies(ctx context.Context, code tips.Code) ([]Received, error) {
	me, err := identity(code)
	if err != nil {
		return nil, err
	}
	head := map[string]string{"Tip-Mailbox": code.Key().Text()}
	list, err := ask[struct {
		Replies []Entry `json:"replies"`
	}](ctx, c, "/mailbox", head)
	if err != nil {
		return nil, err
	}
	out := []Received{}
	for _, e := range list.Replies {
		sealed, err := c.do(ctx, http.MethodGet, "/mailbox/"+e.Letter, head, nil)
		if err != nil {
			return nil, err
		}
		l, err := open(sealed, tips.Reply, me)
		if err != nil {
			return nil, err
		}
		out = append(out, Received{e.Day, l})
	}
	return out, nil
}
