package config

import (
	"time"

	"jedel/internal/retention"
)

// Default returns the settings of a gateway that runs complete on one machine.
func Default() Config {
	return Config{
		Site: Site{
			Name:  Text{"Петропавл қаласының полициясы", "Полиция города Петропавловска", "Petropavl city police"},
			Phone: "102", Lat: 54.8753, Lon: 69.1628, Zone: "Asia/Almaty", ID: "petropavl",
		},
		HTTP:   HTTP{Addr: ":8080", TLS: "off", Origins: []string{}, Frame: []string{}},
		Listen: Listen{Proxies: []string{}, MaxSockets: 10000, MaxSocketsAddr: 1000},
		Geo:    Geo{Source: GeoEmbedded, Timeout: time.Second, PerSecond: 10},
		Store:  Store{URL: "sqlite:data/jedel.db"},
		Media: Media{
			UDP: ":8081", TCP: ":8081", PublicIPs: []string{}, AllowPrivate: true, MaxPeers: 1000, IdlePeers: 200,
			IdleTime: 5 * time.Minute, WaitingPeers: 500, Gather: time.Millisecond,
			Turn: Turn{UDP: ":3478", TLS: true, URLs: []string{}, Allocations: 2000, Bandwidth: 8_000_000},
		},
		Recorder: Recorder{
			Dir: "data/archive", FlushEvery: 250 * time.Millisecond, HeadEvery: time.Second,
			SegmentBytes: 64 << 20, SegmentTime: 15 * time.Minute, PendingCall: 4 << 20, PendingTotal: 1 << 30, Ballast: 1 << 30,
		},
		Evidence: Evidence{Recipients: "data/keys/recipients.txt", PlaybackKey: "data/keys/playback.key", Broker: "child"},
		Map:      Map{},
		Desk: Desk{
			AnswerTarget: 15 * time.Second,
			Categories: []Choice{
				{"violence", Text{"Ұрыс, зорлық-зомбылық", "Драка, насилие", "Fight, violence"}},
				{"domestic", Text{"Тұрмыстық зорлық-зомбылық", "Бытовое насилие", "Domestic violence"}},
				{"theft", Text{"Ұрлық, тонау", "Кража, грабёж", "Theft, robbery"}},
				{"traffic", Text{"Жол-көлік оқиғасы", "ДТП", "Road accident"}},
				{"order", Text{"Қоғамдық тәртіп, шу", "Общественный порядок, шум", "Public order, noise"}},
				{"missing", Text{"Адам жоғалды", "Пропал человек", "Missing person"}},
				{"medical", Text{"Медициналық көмек керек", "Нужна медицинская помощь", "Medical help needed"}},
				{"information", Text{"Анықтама", "Справка", "Information"}},
				{"false", Text{"Жалған қоңырау", "Ложный вызов", "False call"}},
				{"other", Text{"Басқа", "Другое", "Other"}},
			},
			Outcomes: []Choice{
				{"patrol", Text{"Патруль жіберілді", "Направлен патруль", "Patrol sent"}},
				{"passed", Text{"Басқа қызметке берілді", "Передано другой службе", "Passed to another service"}},
				{"advised", Text{"Кеңес берілді", "Дана консультация", "Advice given"}},
				{"registered", Text{"Тіркелді", "Зарегистрировано", "Registered"}},
				{"no_contact", Text{"Байланыс болмады", "Связаться не удалось", "No contact"}},
				{"false", Text{"Негізсіз", "Не подтвердилось", "Unfounded"}},
			},
			Pauses: []Choice{
				{"break", Text{"Үзіліс", "Перерыв", "Break"}},
				{"meal", Text{"Тамақтану", "Обед", "Meal"}},
				{"meeting", Text{"Жиналыс", "Совещание", "Meeting"}},
				{"training", Text{"Оқу", "Обучение", "Training"}},
			},
		},
		Cases: defaultCases(), Stats: defaultStats(),
		Reports: Reports{PhotoBytes: 25 << 20, VideoBytes: 500 << 20, Files: 20, Wait: 24 * time.Hour, KeepFree: 2 << 30},
		OIDC: OIDC{
			Scopes: []string{"profile"}, Roles: map[string][]string{}, Units: map[string]string{},
			Button: Text{"Ұйым арқылы кіру", "Войти через организацию", "Sign in with your organization"},
		},
		Replica: Replica{TLS: true, First: 30 * 24 * time.Hour, Alarm: time.Hour},
		Retention: Retention{Default: "normal", Wait: retention.Wait, Classes: []RetentionClass{
			{"normal", retention.Period{Years: 3}, Text{"Қалыпты", "Обычный", "Normal"}, []string{"traffic", "order", "medical", "information", "other"}, SegmentsDelete},
			{"crime", retention.Period{Years: 10}, Text{"Қылмыс", "Преступление", "Crime"}, []string{"violence", "domestic", "theft", "missing"}, SegmentsDelete},
			{"prank", retention.Period{Days: 90}, Text{"Жалған қоңырау", "Ложный вызов", "False call"}, []string{"false"}, SegmentsDelete},
			{"minor", retention.Period{Years: 10}, Text{"Кәмелетке толмаған", "Несовершеннолетний", "Minor"}, []string{}, SegmentsDelete},
			{"test", retention.Period{Days: 7}, Text{"Сынақ", "Проверка", "Test"}, []string{}, SegmentsDelete},
		}},
		Cameras: Cameras{Linger: 20 * time.Second, Past: 30 * time.Second, Viewers: 100, PerCamera: 20, List: []Camera{}},
		Notify:  defaultNotify(),
		Tips:    defaultTips(),
		Log:     Log{Level: "info", Format: "text"},
	}
}
