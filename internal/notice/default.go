package notice

// Default returns the texts of the service. They name the case and never the matter: the phone may lie on
// a table at home.
func Default() Texts {
	return Texts{
		Registered: {
			"kk": "Өтінішіңіз тіркелді. Нөмірі: {number}.",
			"ru": "Ваше обращение зарегистрировано. Номер: {number}.",
			"en": "Your report is registered. Number: {number}.",
		},
		Changed: {
			"kk": "{number} өтініші: {status}.",
			"ru": "Обращение {number}: {status}.",
			"en": "Report {number}: {status}.",
		},
		Closed: {
			"kk": "{number} өтінішіне жауап: {text}",
			"ru": "Ответ на обращение {number}: {text}",
			"en": "Reply to report {number}: {text}",
		},
		News: {
			"kk": "{number}: жаңалық бар.",
			"ru": "{number}: есть новости.",
			"en": "{number}: there is news.",
		},
		Code: {
			"kk": "Код: {text}. Ешкімге айтпаңыз.",
			"ru": "Код: {text}. Никому его не говорите.",
			"en": "Code: {text}. Tell it to nobody.",
		},
		Test: {
			"kk": "Jedel: хабарлар жетеді.",
			"ru": "Jedel: сообщения доходят.",
			"en": "Jedel: messages arrive.",
		},
	}
}
