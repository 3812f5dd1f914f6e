package smpp

import "strings"

// State is what a receipt says of a message.
type State uint8

// The states.
const (
	Pending   State = iota // on its way, or nobody knows
	Delivered              // it reached the phone
	Failed                 // it never will
)

// ReadReceipt reads a receipt; ok is false where s is none, such as a message from a phone. Centres write
// it in the text (appendix B) or in parameters, and some in both: then the parameters count.
func (s Short) ReadReceipt() (id string, state State, ok bool) {
	if s.Class&0x3C != ClassReceipt {
		return "", Pending, false
	}
	id, word := s.Receipted, ""
	for field := range strings.FieldsSeq(string(s.Text)) {
		key, value, _ := strings.Cut(field, ":")
		switch strings.ToLower(key) {
		case "id":
			if id == "" {
				id = value
			}
		case "stat":
			word = strings.ToUpper(value)
		case "text": // the citizen's own words follow
			return id, s.state(word), id != "" && len(id) <= 64
		}
	}
	return id, s.state(word), id != "" && len(id) <= 64
}

// state joins the parameter (section 5.2.28) and the word.
func (s Short) state(word string) State {
	switch s.State {
	case 2:
		return Delivered
	case 3, 4, 5, 8:
		return Failed
	case 1, 6, 7:
		return Pending
	}
	switch word {
	case "DELIVRD":
		return Delivered
	case "EXPIRED", "DELETED", "UNDELIV", "REJECTD":
		return Failed
	}
	return Pending
}
