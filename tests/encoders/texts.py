"""Sentences and passages in ten scripts, written for these tests."""

from __future__ import annotations

SENTENCES = {
    "Latin": [
        "The ferry to the island leaves at half past six, unless the wind is too strong.",
        "Wer den Vertrag unterschrieben hat, ist bis heute nicht öffentlich bekannt.",
        "¿Cuántos años tardaron en restaurar la cúpula de la catedral?",
    ],
    "Cyrillic": [
        "Паром на остров отправляется в половине седьмого, если не поднимется сильный ветер.",
        "Кто подписал договор о строительстве второй очереди метро?",
        "Археологи нашли под мостовой монеты XII века и обломки кувшина.",
    ],
    "Greek": [
        "Το πλοίο για το νησί φεύγει στις εξίμισι, εκτός αν φυσάει πολύ.",
        "Ποιος υπέγραψε τη σύμβαση για τη νέα γραμμή του μετρό;",
        "Οι ανασκαφές έφεραν στο φως ένα ψηφιδωτό από τα ρωμαϊκά χρόνια.",
    ],
    "Arabic": [
        "تغادر العبّارة إلى الجزيرة في السادسة والنصف ما لم تشتدّ الرياح.",
        "من وقّع عقد بناء الخط الثاني للمترو؟",
        "عثر علماء الآثار تحت الرصيف على نقود من القرن الثاني عشر.",
    ],
    "Hebrew": [
        "המעבורת לאי יוצאת בשש וחצי, אלא אם הרוח חזקה מדי.",
        "מי חתם על החוזה לבניית הקו השני של הרכבת התחתית?",
        "הארכאולוגים מצאו מתחת לרחוב מטבעות מן המאה השתים־עשרה.",
    ],
    "Devanagari": [
        "द्वीप जाने वाली नाव साढ़े छह बजे छूटती है, बशर्ते हवा बहुत तेज़ न हो।",
        "मेट्रो की दूसरी लाइन के ठेके पर किसने हस्ताक्षर किए?",
        "पुरातत्वविदों को सड़क के नीचे बारहवीं सदी के सिक्के मिले।",
    ],
    "Thai": [
        "เรือข้ามฟากไปเกาะออกเวลาหกโมงครึ่ง เว้นแต่ลมจะแรงเกินไป",
        "ใครเป็นผู้ลงนามในสัญญาก่อสร้างรถไฟใต้ดินสายที่สอง",
        "นักโบราณคดีพบเหรียญจากศตวรรษที่สิบสองอยู่ใต้ถนน",
    ],
    "Han": [
        "如果风不太大，开往海岛的渡轮六点半出发。",
        "地铁二号线的建设合同是谁签署的？",
        "考古學家在街道下面發現了十二世紀的硬幣。",
    ],
    "Kana": [
        "しまへいくフェリーは、かぜがつよくなければ六時半にでます。",
        "地下鉄の二号線をつくる契約に署名したのはだれですか。",
        "ガラスのコップにオレンジジュースとソーダをまぜてください。",
    ],
    "Hangul": [
        "바람이 너무 세지 않으면 섬으로 가는 배는 여섯 시 반에 떠난다.",
        "지하철 이 호선 건설 계약에 서명한 사람은 누구인가?",
        "고고학자들은 길 아래에서 십이 세기의 동전을 찾아냈다.",
    ],
}

# About a hundred words each.
PASSAGES = {
    "Latin": """The lighthouse on the northern cape was built in 1874, after three ships had run
aground on the same reef within a single winter. Its keepers lived in a stone house at the foot of
the tower, with a garden behind a wall and a well that gave slightly salty water. Every four hours
one of them climbed the 148 steps to wind up the clockwork that turned the lens. Electricity
arrived in 1932, and the last keeper left in 1987, when the light was automated. Since then the
house has stood empty for most of the year, although an association opens it to visitors on
summer weekends and sells tea, postcards and honey.""",
    "Cyrillic": """Маяк на северном мысе построили в 1874 году, после того как за одну зиму на одном
и том же рифе погибли три корабля. Смотрители жили в каменном доме у подножия башни, где за стеной
был сад и колодец со слегка солёной водой. Каждые четыре часа один из них поднимался по 148
ступеням, чтобы завести часовой механизм, который вращал линзу. Электричество провели в 1932 году,
а последний смотритель уехал в 1987 году, когда огонь стал автоматическим. С тех пор дом большую
часть года стоит пустым, хотя летом по выходным общество любителей старины открывает его для
посетителей и продаёт чай, открытки и мёд.""",
    "Arabic": """بُنيت المنارة على الرأس الشمالي عام 1874 بعد أن جنحت ثلاث سفن على الشعاب نفسها في
شتاء واحد. كان الحرّاس يسكنون بيتًا من الحجر عند قاعدة البرج، له حديقة خلف السور وبئر ماؤها مالح
قليلًا. وكان أحدهم يصعد كل أربع ساعات 148 درجة ليدير الآلة التي تحرّك العدسة. وصلت الكهرباء عام
1932، وغادر آخر حارس عام 1987 حين صار الضوء يعمل من تلقاء نفسه. ومنذ ذلك الحين يبقى البيت خاليًا
معظم السنة، غير أن جمعية محلية تفتحه للزوار في عطل نهاية الأسبوع صيفًا وتبيع الشاي والبطاقات
البريدية والعسل، وتنفق ما تكسبه على ترميم السقف والنوافذ والدرج القديم.""",
    "Devanagari": """उत्तरी अंतरीप का प्रकाशस्तंभ 1874 में बनाया गया, क्योंकि एक ही सर्दी में तीन जहाज़ उसी
चट्टान से टकराकर डूब गए थे। रखवाले मीनार के नीचे पत्थर के एक घर में रहते थे, जिसके पीछे दीवार से घिरा बगीचा
और थोड़े खारे पानी का कुआँ था। हर चार घंटे पर उनमें से कोई एक 148 सीढ़ियाँ चढ़कर उस यंत्र में चाबी भरता था जो
लेंस को घुमाता था। बिजली 1932 में आई और आख़िरी रखवाला 1987 में चला गया, जब बत्ती अपने आप चलने लगी। तब से
यह घर साल के ज़्यादातर समय ख़ाली रहता है, हालाँकि गर्मियों में शनिवार और रविवार को एक संस्था इसे लोगों के लिए
खोलती है और चाय, चित्र वाले कार्ड तथा शहद बेचती है।""",
    "Han": """北角的灯塔建于1874年，因为在同一个冬天里有三艘船在同一片暗礁上搁浅。
看守人住在塔脚下的石头房子里，墙后有一个花园，还有一口水略带咸味的井。
每隔四个小时，他们当中就有一个人爬上148级台阶，给转动透镜的发条装置上弦。
1932年通了电，1987年灯光改为自动控制，最后一位看守人也离开了。
从那以后，这座房子一年中的大部分时间都空着，不过每到夏天的周末，
一个协会会向游客开放，并出售茶、明信片和蜂蜜，所得的钱用来修缮屋顶和旧楼梯。""",
}

# Row n says the same in every language. None of it is in qabot/encoders/language_samples.tsv.
PARALLEL = {
    "en": [
        "The bakery on the corner opens at five in the morning.",
        "Our neighbour repaired the roof after the storm.",
        "The museum bought a painting of a young fisherman.",
        "Bees cannot see the colour red.",
        "The train to the coast was two hours late.",
        "My grandmother learned to swim when she was seventy.",
        "The company moved its factory to another country.",
        "Salt lowers the freezing point of water.",
    ],
    "de": [
        "Die Bäckerei an der Ecke öffnet um fünf Uhr morgens.",
        "Unser Nachbar hat nach dem Sturm das Dach repariert.",
        "Das Museum kaufte ein Gemälde eines jungen Fischers.",
        "Bienen können die Farbe Rot nicht sehen.",
        "Der Zug an die Küste hatte zwei Stunden Verspätung.",
        "Meine Großmutter lernte mit siebzig Jahren schwimmen.",
        "Die Firma verlegte ihre Fabrik in ein anderes Land.",
        "Salz senkt den Gefrierpunkt von Wasser.",
    ],
    "es": [
        "La panadería de la esquina abre a las cinco de la mañana.",
        "Nuestro vecino reparó el tejado después de la tormenta.",
        "El museo compró un cuadro de un joven pescador.",
        "Las abejas no pueden ver el color rojo.",
        "El tren a la costa llegó con dos horas de retraso.",
        "Mi abuela aprendió a nadar a los setenta años.",
        "La empresa trasladó su fábrica a otro país.",
        "La sal baja el punto de congelación del agua.",
    ],
    "ru": [
        "Пекарня на углу открывается в пять часов утра.",
        "Наш сосед починил крышу после бури.",
        "Музей купил картину с молодым рыбаком.",
        "Пчёлы не видят красный цвет.",
        "Поезд к побережью опоздал на два часа.",
        "Моя бабушка научилась плавать в семьдесят лет.",
        "Компания перенесла свой завод в другую страну.",
        "Соль понижает температуру замерзания воды.",
    ],
    "ar": [
        "يفتح المخبز الذي في الزاوية في الخامسة صباحًا.",
        "أصلح جارنا السقف بعد العاصفة.",
        "اشترى المتحف لوحة لصياد شاب.",
        "لا يستطيع النحل رؤية اللون الأحمر.",
        "تأخر القطار المتجه إلى الساحل ساعتين.",
        "تعلمت جدتي السباحة وهي في السبعين.",
        "نقلت الشركة مصنعها إلى بلد آخر.",
        "يخفض الملح درجة تجمد الماء.",
    ],
    "zh": [
        "街角的面包店早上五点开门。",
        "暴风雨过后，我们的邻居修好了屋顶。",
        "博物馆买下了一幅年轻渔夫的画。",
        "蜜蜂看不见红色。",
        "开往海边的火车晚点了两个小时。",
        "我奶奶七十岁时学会了游泳。",
        "公司把工厂搬到了另一个国家。",
        "盐会降低水的冰点。",
    ],
}
