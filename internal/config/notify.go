package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"jedel/internal/notice"
	"jedel/internal/outbox"
)

// Notify is how messages reach citizens.
type Notify struct {
	SMS      string        `yaml:"sms"`
	Channels []string      `yaml:"channels"`
	Prefixes []string      `yaml:"prefixes"`
	Sender   string        `yaml:"sender"`
	MaxParts int           `yaml:"max_parts"`
	Quiet    string        `yaml:"quiet"`
	Attempts int           `yaml:"attempts"`
	First    time.Duration `yaml:"first"`
	Longest  time.Duration `yaml:"longest"`
	Life     time.Duration `yaml:"life"`
	Doubt    time.Duration `yaml:"doubt"`
	Repeats  int           `yaml:"repeats"`
	HTTP     NotifyHTTP    `yaml:"http"`
	SMPP     NotifySMPP    `yaml:"smpp"`
	Push     NotifyPush    `yaml:"push"`
	Texts    []Choice      `yaml:"texts"`
}

// NotifyHTTP is a provider of text messages with an HTTP interface.
type NotifyHTTP struct {
	URL     string            `yaml:"url"`
	Method  string            `yaml:"method"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
	Format  string            `yaml:"format"`
	IDAt    string            `yaml:"id_at"`
	ErrorAt string            `yaml:"error_at"`
	Refuse  []string          `yaml:"refuse"`
	Secret  string            `yaml:"secret_file"`
	CAFile  string            `yaml:"ca_file"`
	Timeout time.Duration     `yaml:"timeout"`
}

// NotifySMPP is an account at an operator's message centre.
type NotifySMPP struct {
	Addr       string        `yaml:"addr"`
	TLS        bool          `yaml:"tls"`
	CAFile     string        `yaml:"ca_file"`
	SystemID   string        `yaml:"system_id"`
	Password   string        `yaml:"password_file"`
	SystemType string        `yaml:"system_type"`
	PerSecond  int           `yaml:"per_second"`
	Enquire    time.Duration `yaml:"enquire"`
	Answer     time.Duration `yaml:"answer"`
	ReportTime time.Duration `yaml:"report_time"`
	Decimal    bool          `yaml:"decimal_receipts"`
}

// NotifyPush is web push.
type NotifyPush struct {
	Subject string   `yaml:"subject"`
	Hosts   []string `yaml:"hosts"`
}

// The ways of text messages.
const (
	SMSOff  = "off"
	SMSHTTP = "http"
	SMSSMPP = "smpp"
	SMSTape = "tape"
)

// NotifyAnswer bounds one attempt with all its browsers or parts. An attempt that takes longer is of unknown outcome.
const NotifyAnswer = time.Minute

func defaultNotify() Notify {
	n := Notify{
		SMS: SMSOff, Channels: []string{"push", "sms"}, Prefixes: []string{"+7"}, MaxParts: 4, Quiet: "22:00-07:00", Attempts: 6, First: time.Minute, Longest: time.Hour,
		Life: 48 * time.Hour, Doubt: 10 * time.Minute, Repeats: 1,
		HTTP: NotifyHTTP{Method: "POST", Headers: map[string]string{}, Format: "json", Refuse: []string{}, Timeout: 20 * time.Second},
		SMPP: NotifySMPP{PerSecond: 10, Enquire: 30 * time.Second, Answer: 10 * time.Second, ReportTime: 24 * time.Hour},
		Push: NotifyPush{Hosts: []string{"fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"}},
	}
	texts := notice.Default()
	for _, k := range notice.Kinds() {
		n.Texts = append(n.Texts, Choice{string(k), Text{texts[k]["kk"], texts[k]["ru"], texts[k]["en"]}})
	}
	return n
}

// Words returns the texts of messages.
func (n Notify) Words() notice.Texts {
	t := notice.Texts{}
	for _, c := range n.Texts {
		t[notice.Kind(c.Key)] = map[string]string{"kk": c.Words.KK, "ru": c.Words.RU, "en": c.Words.EN}
	}
	return t
}

// Policy returns the rules that the settings make.
func (n Notify) Policy() outbox.Policy {
	quiet, _ := quietHours(n.Quiet)
	p := outbox.Policy{
		Attempts: n.Attempts, First: n.First, Longest: n.Longest, Life: n.Life, AnswerTime: NotifyAnswer, DoubtTime: n.Doubt, Repeats: n.Repeats, Quiet: quiet,
		Reports: map[outbox.Channel]time.Duration{},
	}
	switch n.SMS {
	case SMSSMPP:
		p.Reports[outbox.SMS] = n.SMPP.ReportTime
	case SMSTape:
		p.Reports[outbox.SMS] = time.Minute
	}
	return p
}

var quietShape = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$`)

// quietHours reads "22:00-07:00"; empty means never.
func quietHours(s string) (q outbox.Quiet, err error) {
	if s == "" {
		return q, nil
	}
	m := quietShape.FindStringSubmatch(s)
	if m == nil {
		return q, fmt.Errorf("%q is not hours such as 22:00-07:00", s)
	}
	var at [4]int
	for i, part := range m[1:] {
		at[i] = int(part[0]-'0')*10 + int(part[1]-'0')
	}
	return outbox.Quiet{From: at[0]*60 + at[1], To: at[2]*60 + at[3]}, nil
}

var prefixShape = regexp.MustCompile(`^\+[1-9]\d{0,10}$`)

// check refuses what would lose messages, or send what nobody meant.
func (n Notify) check() []error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("notify."+format, args...))
		}
	}
	want(slices.Contains([]string{SMSOff, SMSHTTP, SMSSMPP, SMSTape}, n.SMS), "sms: %q is not off, http, smpp or tape", n.SMS)
	for i, c := range n.Channels {
		want((c == "push" || c == "sms") && slices.Index(n.Channels, c) == i, "channels: %q is not push or sms, or is there twice", c)
	}
	for _, p := range n.Prefixes {
		want(prefixShape.MatchString(p), "prefixes: %q is not the beginning of a number, such as +7", p)
	}
	_, err := quietHours(n.Quiet)
	want(err == nil, "quiet: %v", err)
	want(n.Attempts >= 1 && n.Attempts <= 50, "attempts: %d is not within 1 and 50", n.Attempts)
	want(n.First >= time.Second && n.Longest >= n.First && n.Longest <= 24*time.Hour, "first, longest: not within 1s and 24h, or first is more than longest")
	want(n.Life >= time.Minute && n.Life <= 30*24*time.Hour, "life: %v is not within 1m and 720h", n.Life)
	want(n.Doubt >= 0 && n.Doubt <= 24*time.Hour, "doubt: %v is not within 0 and 24h", n.Doubt)
	want(n.Repeats >= 0 && n.Repeats <= 3, "repeats: %d is not within 0 and 3", n.Repeats)
	want(n.SMS != SMSHTTP || n.HTTP.URL != "", "http.url: must be set with sms: http")
	want(n.HTTP.Format == "json" || n.HTTP.Format == "form", "http.format: %q is neither json nor form", n.HTTP.Format)
	want(n.HTTP.Timeout >= time.Second && n.HTTP.Timeout < NotifyAnswer, "http.timeout: %v is not within 1s and %v", n.HTTP.Timeout, NotifyAnswer)
	want(n.SMS != SMSSMPP || n.SMPP.Addr != "" && n.SMPP.SystemID != "" && n.SMPP.Password != "" && n.Sender != "", "smpp: addr, system_id, password_file and notify.sender must be set with sms: smpp")
	want(n.SMPP.PerSecond >= 0 && n.SMPP.PerSecond <= 1000, "smpp.per_second: %d is not within 0 and 1000", n.SMPP.PerSecond)
	want(n.SMPP.Enquire >= time.Second && n.SMPP.Answer >= time.Second && n.SMPP.Answer < NotifyAnswer, "smpp: enquire and answer are at least 1s, answer under %v", NotifyAnswer)
	want(n.SMPP.ReportTime >= 0 && n.SMPP.ReportTime <= 7*24*time.Hour, "smpp.report_time: %v is not within 0 and 168h", n.SMPP.ReportTime)
	want(len(n.Sender) <= 20 && !strings.ContainsFunc(n.Sender, func(r rune) bool { return r < ' ' || r > '~' }), "sender: %q is not up to 20 plain letters", n.Sender)
	want(n.Push.Subject == "" || strings.HasPrefix(n.Push.Subject, "mailto:") || strings.HasPrefix(n.Push.Subject, "https://"), "push.subject: %q is neither mailto: nor https://", n.Push.Subject)
	if err := n.Words().Check(n.MaxParts); err != nil {
		errs = append(errs, fmt.Errorf("notify.texts, max_parts: %w", err))
	}
	if len(n.Words()) != len(n.Texts) {
		errs = append(errs, errors.New("notify.texts: a text is there twice"))
	}
	return errs
}
