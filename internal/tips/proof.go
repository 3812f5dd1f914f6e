package tips

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// DutyTime is how long a unit may read after it has proven that it holds its key.
const DutyTime = 15 * time.Minute

const (
	questionIntro = "jedel-tips-question/1"
	saltSize      = 16
	// MaxQuestion bounds an opened question in bytes. It is far below the smallest letter, so that a
	// letter handed out as a question is never opened and answered.
	MaxQuestion = 256
)

// Question is what a unit is asked, sealed to its keys: only who holds one of them reads the secret
// in it. The gateway keeps no list of questions: it makes the secret anew from the rest.
type Question struct {
	Unit   string
	Until  int64 // Unix seconds
	Salt   [saltSize]byte
	Secret [KeySize]byte
}

// Ask returns a question for a unit. salt is random.
func Ask(secret []byte, unit string, until time.Time, salt [16]byte) Question {
	q := Question{Unit: unit, Until: until.Unix(), Salt: salt}
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(questionIntro + "\n" + unit + "\n"))
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(q.Until)))
	m.Write(salt[:])
	q.Secret = [KeySize]byte(m.Sum(nil))
	return q
}

// Text is what is sealed: five lines.
func (q Question) Text() string {
	return strings.Join([]string{
		questionIntro, q.Unit, strconv.FormatInt(q.Until, 10), base64.RawURLEncoding.EncodeToString(q.Salt[:]), base64.RawURLEncoding.EncodeToString(q.Secret[:]), "",
	}, "\n")
}

// ParseQuestion reads an opened question. A unit answers nothing else.
func ParseQuestion(text string) (Question, error) {
	var q Question
	lines := strings.Split(text, "\n")
	if len(text) > MaxQuestion || len(lines) != 6 || lines[0] != questionIntro || lines[5] != "" {
		return q, ErrFormat
	}
	until, err := strconv.ParseInt(lines[2], 10, 64)
	if err != nil || strconv.FormatInt(until, 10) != lines[2] {
		return q, ErrFormat
	}
	salt, err := decode(lines[3], saltSize)
	if err != nil {
		return q, err
	}
	secret, err := decode(lines[4], KeySize)
	if err != nil {
		return q, err
	}
	return Question{lines[1], until, [saltSize]byte(salt), [KeySize]byte(secret)}, nil
}

// Answer proves that the question was read: "until.salt.proof". The proof is a hash: whatever was
// opened, no word of it goes back.
func (q Question) Answer() string {
	sum := sha256.Sum256(append([]byte("jedel.tips.answer/1\n"), q.Secret[:]...))
	return strconv.FormatInt(q.Until, 10) + "." + base64.RawURLEncoding.EncodeToString(q.Salt[:]) + "." + base64.RawURLEncoding.EncodeToString(sum[:])
}

// CheckAnswer tells whether the answer is of a unit that has read a question of ours and whose time
// is not over.
func CheckAnswer(secret []byte, unit string, now time.Time, answer string) bool {
	parts := strings.Split(answer, ".")
	if len(answer) > MaxQuestion || len(parts) != 3 {
		return false
	}
	until, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || until <= now.Unix() || until > now.Add(DutyTime).Unix() {
		return false
	}
	salt, err := decode(parts[1], saltSize)
	if err != nil {
		return false
	}
	want := Ask(secret, unit, time.Unix(until, 0), [saltSize]byte(salt)).Answer()
	return hmac.Equal([]byte(want), []byte(answer))
}
