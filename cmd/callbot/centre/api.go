package centre

import "jedel/signaling/wire"

// What is read and written of the gateway's answers; docs/PROTOCOL.md has them whole.

type declared struct {
	File       string   `json:"file"`
	Bytes      int      `json:"bytes"`
	SHA256     string   `json:"sha256"`
	Name       string   `json:"name"`
	Mime       string   `json:"mime"`
	CapturedMs int64    `json:"capturedMs"`
	Lat        *float64 `json:"lat,omitempty"`
	Lon        *float64 `json:"lon,omitempty"`
	AccuracyM  float64  `json:"accuracyM,omitempty"`
}

type reportRequest struct {
	Ref    string     `json:"ref"`
	Kind   string     `json:"kind,omitempty"`
	Text   string     `json:"text,omitempty"`
	Lang   string     `json:"lang"`
	MadeMs int64      `json:"madeMs"`
	Plate  string     `json:"plate,omitempty"`
	Where  string     `json:"where,omitempty"`
	Fix    *wire.Fix  `json:"fix,omitempty"`
	Pin    *wire.Fix  `json:"pin,omitempty"`
	Files  []declared `json:"files,omitempty"`
}

type receipt struct {
	Report string `json:"report"`
	Number string `json:"number"`
}

type myReports struct {
	Reports []struct {
		Report    string `json:"report"`
		Status    string `json:"status"`
		MayReopen bool   `json:"mayReopen"`
		Replies   []struct {
			Status string `json:"status"`
			Text   string `json:"text"`
		} `json:"replies"`
	} `json:"reports"`
}

type amendment struct {
	ID     string `json:"id"`
	Text   string `json:"text"`
	Reopen bool   `json:"reopen"`
}

type caseRow struct {
	Case     string   `json:"case"`
	Number   string   `json:"number"`
	Lane     string   `json:"lane"`
	Kind     string   `json:"kind"`
	Priority int      `json:"priority"`
	Status   string   `json:"status"`
	Owner    string   `json:"owner"`
	Into     string   `json:"into"`
	Lat      *float64 `json:"lat"`
	Lon      *float64 `json:"lon"`
	OpenedMs int64    `json:"openedMs"`
	SinceMs  int64    `json:"sinceMs"`
}

type caseView struct {
	caseRow
	Citizen struct {
		Lang string `json:"lang"`
	} `json:"citizen"`
	Recordings []struct {
		Live bool `json:"live"`
	} `json:"recordings"`
	Sendings []struct {
		Name    string `json:"name"`
		AtMs    int64  `json:"atMs"`
		EndedMs int64  `json:"endedMs"`
		Why     string `json:"why"`
	} `json:"sendings"`
}

type similarCase struct {
	caseRow
	Score float64 `json:"score"`
}

type proposal struct {
	Patrol string    `json:"patrol"`
	Name   string    `json:"name"`
	By     string    `json:"by"`
	Words  threefold `json:"words"`
}

type act struct {
	Act      string `json:"act"`
	Kind     string `json:"kind,omitempty"`
	Priority int    `json:"priority,omitempty"`
	Patrol   string `json:"patrol,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	Text     string `json:"text,omitempty"`
	Case     string `json:"case,omitempty"`
}

type threefold struct {
	KK string `json:"kk"`
	RU string `json:"ru"`
	EN string `json:"en"`
}

func (t threefold) in(lang string) string {
	switch lang {
	case "kk":
		return t.KK
	case "en":
		return t.EN
	}
	return t.RU
}

type choices struct {
	Kinds []struct {
		Code     string `json:"code"`
		Priority int    `json:"priority"`
	} `json:"kinds"`
	Outcomes []struct {
		Code  string    `json:"code"`
		Reply threefold `json:"reply"`
	} `json:"outcomes"`
}

type patrolView struct {
	State string    `json:"state"`
	Task  *caseView `json:"task"`
	Live  string    `json:"live"`
}
