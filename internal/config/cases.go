package config

import "fmt"

// Cases is what reports and cases may be about, and how they may end.
type Cases struct {
	Kinds    []CaseKind    `yaml:"kinds"`
	Outcomes []CaseOutcome `yaml:"outcomes"`
}

// CaseKind is what a citizen may report. Priority is 0, life at risk, to 3.
type CaseKind struct {
	Key      string `yaml:"key"`
	Words    Text   `yaml:"words"`
	Priority int    `yaml:"priority"`
	Plate    bool   `yaml:"plate"`
}

// CaseOutcome is how a case may end, and what its citizen is told unless somebody writes it better.
type CaseOutcome struct {
	Key   string `yaml:"key"`
	Words Text   `yaml:"words"`
	Reply Text   `yaml:"reply"`
}

func (t Text) whole() bool { return t.KK != "" && t.RU != "" && t.EN != "" }

// check refuses what would leave a citizen without words. known are the categories of calls, which are
// kinds of cases as well.
func (c Cases) check(known []Choice) []error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf("cases."+format, args...)) }
	seen := map[string]Text{}
	for _, k := range known {
		seen[k.Key] = k.Words
	}
	for _, k := range c.Kinds {
		if words, twice := seen[k.Key]; twice && words != k.Words {
			complain("kinds: %q is there twice, or is a category of calls with other words", k.Key)
		}
		seen[k.Key] = k.Words
		if !keyShape.MatchString(k.Key) || !k.Words.whole() || k.Priority < 0 || k.Priority > 3 {
			complain("kinds: %q needs a key of a-z, 0-9 and _, words in kk, ru and en, and a priority of 0 to 3", k.Key)
		}
	}
	if len(c.Outcomes) == 0 {
		complain("outcomes: without one no case is ever closed")
	}
	ends := map[string]bool{}
	for _, o := range c.Outcomes {
		if ends[o.Key] || !keyShape.MatchString(o.Key) || !o.Words.whole() || !o.Reply.whole() {
			complain("outcomes: %q needs a key of its own, words and a reply in kk, ru and en", o.Key)
		}
		ends[o.Key] = true
	}
	return errs
}

func defaultCases() Cases {
	return Cases{
		Kinds: []CaseKind{
			{"noise", Text{"Шу", "Шум", "Noise"}, 3, false},
			{"smoking", Text{"Кіреберісте темекі шегу", "Курение в подъезде", "Smoking in the entrance"}, 3, false},
			{"parking", Text{"Көлікті дұрыс қоймау", "Неправильная парковка", "Bad parking"}, 3, true},
			{"red_light", Text{"Қызыл жарықта өту", "Проезд на красный свет", "Running a red light"}, 3, true},
			{"driving", Text{"Қауіпті жүргізу", "Опасное вождение", "Dangerous driving"}, 2, true},
			{"road", Text{"Жолдың жағдайы", "Состояние дороги", "Road condition"}, 3, false},
			{"public_order", Text{"Қоғамдық тәртіпті бұзу", "Нарушение общественного порядка", "Public order"}, 2, false},
			{"other", Text{"Басқа", "Другое", "Other"}, 3, false},
			{"consultation", Text{"Кеңес алу", "Консультация", "Consultation"}, 3, false},
			{"corruption", Text{"Сыбайлас жемқорлық", "Коррупция", "Corruption"}, 2, false},
		},
		Outcomes: []CaseOutcome{
			{"measures", Text{"Шара қолданылды", "Приняты меры", "Measures taken"},
				Text{"Хабарламаңыз тексерілді, шара қолданылды. Рақмет.", "Ваше сообщение проверено, меры приняты. Спасибо.", "Your report was checked and measures were taken. Thank you."}},
			{"warned", Text{"Ескерту жасалды", "Вынесено предупреждение", "Warning given"},
				Text{"Тәртіп бұзушыға ескерту жасалды. Хабарлағаныңызға рақмет.", "Нарушителю вынесено предупреждение. Спасибо за сообщение.", "The offender was warned. Thank you for your report."}},
			{"protocol", Text{"Әкімшілік хаттама толтырылды", "Составлен протокол", "Fined"},
				Text{"Тәртіп бұзушыға әкімшілік хаттама толтырылды. Хабарлағаныңызға рақмет.", "На нарушителя составлен административный протокол. Спасибо за сообщение.", "The offender was charged with an administrative offence. Thank you for your report."}},
			{"not_found", Text{"Тексерілді, анықталмады", "Проверено, не подтвердилось", "Checked, not found"},
				Text{"Патруль тексерді, бірақ тәртіп бұзушылық анықталмады. Қайталанса, қайта хабарлаңыз.", "Проверили, нарушение на месте не обнаружено. Если повторится, сообщите снова.", "We checked and found no offence at the place. If it happens again, report it again."}},
			{"passed", Text{"Басқа қызметке берілді", "Передано другой службе", "Passed to another service"},
				Text{"Хабарламаңыз құзыретті қызметке берілді.", "Ваше сообщение передано ответственной службе.", "Your report was passed to the service in charge."}},
			{"advised", Text{"Кеңес берілді", "Дана консультация", "Advice given"},
				Text{"Сұрағыңызға кеңес берілді. Қосымша сұрақ болса, жазыңыз.", "Вам дана консультация. Если остались вопросы, напишите.", "You were given advice. Write if you have more questions."}},
			{"no_contact", Text{"Байланыс болмады", "Связаться не удалось", "No contact"},
				Text{"Сізбен байланыса алмадық. Көмек керек болса, 102-ге қайта хабарласыңыз.", "Мы не смогли с вами связаться. Если помощь нужна, обратитесь в 102 снова.", "We could not reach you. If you still need help, contact 102 again."}},
			{"false", Text{"Негізсіз", "Не подтвердилось", "Unfounded"},
				Text{"Хабарлама тексерілді, дерек расталмады.", "Сообщение проверено, сведения не подтвердились.", "The report was checked and could not be confirmed."}},
		},
	}
}
