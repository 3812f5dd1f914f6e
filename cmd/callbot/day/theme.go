package day

// Theme is one thing that happens in a city: what is said of it, and what comes of it.
type Theme struct {
	Key      string
	Report   string // kind of a report about it; empty: nobody reports it
	Category string // category of a call about it; empty: nobody calls for it
	Patrol   bool   // somebody must go there
	Outcome  string // how it mostly ends
	Plate    bool   // a number plate belongs to it
	Calls    int    // how common among calls, and among reports
	Reports  int
	Says     map[string][]string // by language: the first line, then answers to questions
}

// Langs are the languages people speak here.
func Langs() []string { return []string{"kk", "ru", "en"} }

// ThemeOf returns the theme of a key; ok is false where there is none.
func ThemeOf(key string) (t Theme, ok bool) {
	for _, t := range Themes() {
		if t.Key == key {
			return t, true
		}
	}
	return Theme{}, false
}

// Themes returns them all.
func Themes() []Theme { return append(urgent(), daily()...) }

func says(kk, ru, en []string) map[string][]string {
	return map[string][]string{"kk": kk, "ru": ru, "en": en}
}

// urgent are those that people call for.
func urgent() []Theme {
	return []Theme{
		{Key: "fight", Report: "public_order", Category: "violence", Patrol: true, Outcome: "protocol", Calls: 18, Reports: 3, Says: says(
			[]string{"Дүкеннің жанында төбелес болып жатыр!", "Төрт-бес адам.", "Біреуі жерде жатыр.", "Қару көрінбейді."},
			[]string{"Возле магазина драка!", "Человек четыре или пять.", "Один лежит на земле.", "Оружия не вижу."},
			[]string{"There is a fight outside the shop!", "Four or five people.", "One of them is on the ground.", "I see no weapon."})},
		{Key: "accident", Report: "driving", Category: "traffic", Patrol: true, Outcome: "protocol", Plate: true, Calls: 22, Reports: 4, Says: says(
			[]string{"Жол апаты болды, екі көлік соқтығысты.", "Жүргізушінің басы ауырып тұр.", "Көліктер жолды бөгеп тұр.", "Иә, мен осындамын."},
			[]string{"Авария, столкнулись две машины.", "У водителя болит голова.", "Машины перекрыли дорогу.", "Да, я на месте."},
			[]string{"An accident, two cars crashed.", "The driver's head hurts.", "The cars block the road.", "Yes, I am still here."})},
		{Key: "theft", Category: "theft", Patrol: true, Outcome: "measures", Calls: 14, Says: says(
			[]string{"Сөмкемді тартып алып кетті.", "Қара күрте киген жігіт.", "Алаңға қарай жүгірді.", "Мен жарақат алған жоқпын."},
			[]string{"У меня вырвали сумку.", "Парень в чёрной куртке.", "Побежал в сторону площади.", "Я не ранена."},
			[]string{"Somebody snatched my bag.", "A man in a black jacket.", "He ran towards the square.", "I am not hurt."})},
		{Key: "domestic", Category: "domestic", Patrol: true, Outcome: "warned", Calls: 14, Says: says(
			[]string{"Көршілер ұрысып жатыр, әйел айқайлап жатыр.", "Үшінші қабат.", "Үйде бала бар.", "Есікті ашпайды."},
			[]string{"Соседи ругаются, женщина кричит.", "Третий этаж.", "Там ребёнок.", "Дверь не открывают."},
			[]string{"The neighbours are fighting, a woman is screaming.", "Third floor.", "There is a child inside.", "They do not open the door."})},
		{Key: "medical", Category: "medical", Outcome: "passed", Calls: 10, Says: says(
			[]string{"Аялдамада адам құлап қалды.", "Тыныс алып жатыр.", "Елу жас шамасында.", "Жедел жәрдем шақыртпадық."},
			[]string{"На остановке упал человек.", "Дышит.", "Лет пятьдесят.", "Скорую ещё не вызывали."},
			[]string{"A man has collapsed at the bus stop.", "He is breathing.", "About fifty years old.", "Nobody has called an ambulance yet."})},
		{Key: "lost", Category: "missing", Patrol: true, Outcome: "measures", Calls: 4, Says: says(
			[]string{"Шаңғы теуіп жүріп, орманда адасып қалдым.", "Қараңғы түсіп барады.", "Батарея он екі пайыз.", "Алыстан ит үргені естіледі."},
			[]string{"Катался на лыжах и заблудился в лесу.", "Уже темнеет.", "Батарея двенадцать процентов.", "Слышу вдалеке собак."},
			[]string{"I was skiing and got lost in the forest.", "It is getting dark.", "My battery is at twelve per cent.", "I hear dogs far away."})},
		{Key: "fire", Report: "other", Category: "other", Patrol: true, Outcome: "passed", Calls: 5, Reports: 2, Says: says(
			[]string{"Үйдің шатыры жанып жатыр!", "Түтін қою.", "Адамдар шығып жатыр.", "Өрт сөндірушілер әлі жоқ."},
			[]string{"Горит крыша дома!", "Густой дым.", "Люди выходят.", "Пожарных пока нет."},
			[]string{"The roof of a house is on fire!", "Thick smoke.", "People are coming out.", "No fire engine yet."})},
		{Key: "question", Report: "consultation", Category: "information", Outcome: "advised", Calls: 8, Reports: 8, Says: says(
			[]string{"Құжатымды жоғалттым, қайда барамын?", "Кеше кешке.", "Рақмет."},
			[]string{"Потерял документы, куда обращаться?", "Вчера вечером.", "Спасибо."},
			[]string{"I lost my papers, where do I go?", "Yesterday evening.", "Thank you."})},
	}
}

// daily are those that people report.
func daily() []Theme {
	return []Theme{
		{Key: "noise", Report: "noise", Category: "order", Patrol: true, Outcome: "warned", Calls: 12, Reports: 18, Says: says(
			[]string{"Түнде қатты музыка ойнап тұр.", "Бесінші пәтер.", "Күн сайын осылай."},
			[]string{"Ночью громкая музыка.", "Пятая квартира.", "Так каждый день."},
			[]string{"Loud music at night.", "Flat five.", "It is like this every day."})},
		{Key: "smoking", Report: "smoking", Outcome: "warned", Reports: 8, Says: says(
			[]string{"Кіреберісте темекі шегеді, түтін пәтерге кіреді."},
			[]string{"Курят в подъезде, дым идёт в квартиру."},
			[]string{"They smoke in the entrance, the smoke comes into our flat."})},
		{Key: "parking", Report: "parking", Outcome: "protocol", Plate: true, Reports: 24, Says: says(
			[]string{"Көлік тротуарда тұр, арбамен өту мүмкін емес."},
			[]string{"Машина стоит на тротуаре, с коляской не пройти."},
			[]string{"A car stands on the pavement, no way past with a pram."})},
		{Key: "red_light", Report: "red_light", Outcome: "protocol", Plate: true, Reports: 10, Says: says(
			[]string{"Қызыл жарыққа қарамай өтіп кетті."},
			[]string{"Проехал на красный свет."},
			[]string{"Drove through the red light."})},
		{Key: "driving", Report: "driving", Outcome: "protocol", Plate: true, Reports: 9, Says: says(
			[]string{"Аулада жылдамдықпен жүріп, дрифт жасап жүр."},
			[]string{"Гоняет и дрифтует во дворе."},
			[]string{"Racing and drifting in the yard."})},
		{Key: "road", Report: "road", Outcome: "passed", Reports: 10, Says: says(
			[]string{"Жолда үлкен шұңқыр бар, бағдаршам жанбайды."},
			[]string{"Большая яма на дороге, не работает светофор."},
			[]string{"A big hole in the road, the traffic light is out."})},
		{Key: "order", Report: "public_order", Category: "order", Patrol: true, Outcome: "warned", Calls: 8, Reports: 8, Says: says(
			[]string{"Балалар алаңында ішімдік ішіп отыр.", "Үш адам.", "Балалар қорқып тұр."},
			[]string{"На детской площадке распивают спиртное.", "Трое.", "Дети боятся."},
			[]string{"People are drinking on the playground.", "Three of them.", "The children are afraid."})},
	}
}
