package tipmail

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"jedel/internal/tips"
	"jedel/recorder/keys"
)

// Duty is a unit that has proven to a listener that it holds its key. It holds for tips.DutyTime.
type Duty struct {
	client Client
	unit   string
	ids    []keys.Identity
	head   map[string]string
}

// ErrQuestion reports a question that is none: whoever serves the page may be trying to have a letter
// opened for them.
var ErrQuestion = errors.New("the gateway asked something that a unit does not answer")

// Duty asks the listener for a question and answers it. Only a question to this very unit is answered,
// and only by a hash of what it held.
func (c Client) Duty(ctx context.Context, unit string, ids []keys.Identity) (*Duty, error) {
	asked, err := ask[struct {
		Sealed []byte `json:"sealed"`
	}](ctx, c, "/units/"+url.PathEscape(unit)+"/question", nil)
	if err != nil {
		return nil, err
	}
	raw, err := keys.Open(asked.Sealed, tips.MaxQuestion, ids...)
	if errors.Is(err, keys.ErrNoKey) {
		return nil, err
	}
	if err != nil {
		return nil, ErrQuestion
	}
	q, err := tips.ParseQuestion(string(raw))
	if err != nil || q.Unit != unit {
		return nil, ErrQuestion
	}
	return &Duty{c, unit, ids, map[string]string{"Authorization": "Tips " + q.Answer()}}, nil
}

func (d *Duty) path(rest string) string { return "/units/" + url.PathEscape(d.unit) + rest }

// List returns the unit's letters, the oldest day first.
func (d *Duty) List(ctx context.Context) ([]Entry, error) {
	list, err := ask[struct {
		Letters []Entry `json:"letters"`
	}](ctx, d.client, d.path("/letters"), d.head)
	return list.Letters, err
}

// Read fetches a letter and opens it.
func (d *Duty) Read(ctx context.Context, letter string) (tips.Letter, error) {
	sealed, err := d.client.do(ctx, http.MethodGet, d.path("/letters/"+url.PathEscape(letter)), d.head, nil)
	if err != nil {
		return tips.Letter{}, err
	}
	return open(sealed, tips.Tip, d.ids...)
}

// Reply seals words to whoever wrote a letter, and puts them into the letter's mailbox.
func (d *Duty) Reply(ctx context.Context, e Entry, text string) error {
	l, err := d.Read(ctx, e.Letter)
	if err != nil {
		return err
	}
	sealed, _, err := seal(tips.Letter{Kind: tips.Reply, Text: text, Lang: l.Lang}, l.Reply)
	if err != nil {
		return err
	}
	_, err = d.client.do(ctx, http.MethodPost, d.path("/mailboxes/"+url.PathEscape(e.Mailbox)), d.head, sealed)
	return err
}

// Prune deletes a letter on the gateway for good.
func (d *Duty) Prune(ctx context.Context, letter string) error {
	_, err := d.client.do(ctx, http.MethodDelete, d.path("/letters/"+url.PathEscape(letter)), d.head, nil)
	return err
}
