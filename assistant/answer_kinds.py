"""What kind of answer a question asks for, and whether a sentence holds something of that kind.

"Quel délai" asks for a duration, "qui" for a person or body, "combien coûte" for a sum, "où" for a place. The languages are
treated alike; only the cue words differ. Everything here is arithmetic on words: no model, nothing learned.
"""

from __future__ import annotations

import re
from enum import StrEnum

from assistant.language import skeleton


class AnswerKind(StrEnum):
    """What a question asks for, as far as its words tell."""

    DURATION = "duration"
    AMOUNT = "amount"
    """Money, or a share in per cent."""
    NUMBER = "number"
    TIME = "time"
    """Of the day."""
    DATE = "date"
    """A day, or what it is counted from: "within a month", "as soon as"."""
    PLACE = "place"
    PERSON = "person"
    """A person or a body, by name or by office."""
    NAME = "name"
    """A proper name: "qui est …", "which company"."""
    PHONE = "phone"
    MAIL = "mail"
    REASON = "reason"
    YES_NO = "yes or no"
    ANY = "any"


VALUED = frozenset({AnswerKind.AMOUNT, AnswerKind.NUMBER, AnswerKind.TIME, AnswerKind.PHONE, AnswerKind.MAIL})
"""Kinds of which a sentence surely shows whether it has one."""
_UNITS = (
    r"jours?|mois|semaines?|ans?|années?|heures?|minutes?|trimestres?|days?|months?|weeks?|years?|hours?|"
    r"يوم\w*|أيام|ايام|شهر\w*|أشهر|اشهر|شهور|أسبوع\w*|اسبوع\w*|أسابيع|اسابيع|سنة|سنوات|سنتين|سنتان|عام\w*|ساعة|"
    r"ساعات|ساعتين|دقيقة|دقائق"
)
_MONEY = (
    r"coût\w*|prix|tarifs?|montants?|indemnité\w*|amendes?|cautions?|subventions?|primes?|salaires?|frais|"
    r"redevances?|loyers?|"
    r"cost\w*|price\w*|fees?|fines?|fares?|deposits?|amount|salary|penalt\w+|refund\w*|grants?|allowance|budget|pay|"
    r"(?:ال)?(?:رسم|رسوم|ثمن|سعر|مبلغ|غرامة|راتب|تكلفة|كلفة|أجرة|تعويض|منحة)|تكلف|يكلف|يدفع|تدفع|أدفع|يؤدي|تباع"
)
_ASKS = (
    (AnswerKind.MAIL, r"\be-?mail\b|courriel|adresse (?:électronique|mail)|بريد\w* (?:\w+ ){0,2}ال?[إا]لكتروني"),
    (
        AnswerKind.PHONE,
        r"\b(?:quel|à quel) (?:est le )?(?:numéro|poste)\b|numéro de téléphone|\b(?:which|what|telephone|"
        r"phone)(?: is the)? number\b|"
        r"(?:phone|telephone|extension) number|رقم (?:ال)?(?:هاتف|داخلي)|(?:أي|اي) رقم",
    ),
    (
        AnswerKind.TIME,
        r"\bquelles? heures?\b|\b(?:which|what) (?:opening )?(?:time|hours)\b|opening (?:time|hours)|"
        r"\bquels (?:sont les )?horaires?\b|"
        r"(?:أي|اي) ساعة|ما (?:هي )?(?:ساعات|أوقات)",
    ),
    (
        AnswerKind.DURATION,
        rf"\b(?:combien d['e] ?(?:temps|ancienneté|{_UNITS})|(?:quel|quelle|quels|quelles)(?: \w+){{0,3}} (?:délais?|durée|"
        rf"préavis|ancienneté)|"
        rf"how (?:long|soon|quickly|often)|how many (?:{_UNITS})|for how long|within (?:what|how)|deadline|"
        rf"how far (?:ahead|in advance))\b|"
        rf"كم (?:من |عدد )?(?:ال)?(?:وقت|{_UNITS})|كم يدوم|كم تدوم|ما (?:هو |هي )?(?:ال)?(?:مدة|أجل)|كم مدة|"
        rf"(?:أي|اي) أجل|كم يوم",
    ),
    (
        AnswerKind.DATE,
        r"^\W*(?:\S+ ){0,2}(?:quand|when)\b|: (?:quand|when)\b|\bquelle (?:est|sera|était|fut) la (?:\w+ )?date\b|"
        r"\b(?:quelles? dates?|quels? jours?|"
        r"quelle année|quel mois|jusqu'à quand|"
        r"until when|(?:which|what) (?:is the |was the )?(?:day|date|year|month)s?)\b|متى|"
        r"(?:أي|اي) (?:يوم|أيام|تاريخ|سنة|عام|شهر)|"
        r"ما (?:هو )?تاريخ",
    ),
    (
        AnswerKind.AMOUNT,
        rf"\bcombien (?:faut-il payer|dois-je payer|vaut|paie|paye|\w{{0,3}} ?coût\w*)|à combien|"
        r"\bcombien (?:touch|perçoi|gagn|rembours)\w+|"
        rf"\bcombien (?:\w+ ){{0,2}}coût\w*|"
        rf"\b(?:quel|quelle|quels|quelles|what|which|how much)\b(?:['’ ]?\w+){{0,4}}? (?:d'|l')?(?:{_MONEY})\b|"
        rf"\bhow much (?:is|does|do)\b|كم [يت]تقاضى|كم [يت]كسب|"
        rf"(?:\bكم|بكم|\bما|أي)(?: \w+){{0,2}} (?:{_MONEY})\b|بكم",
    ),
    (
        AnswerKind.NUMBER,
        r"\bcombien\b|\b(?:quel|quelle|quels|quelles)(?: \w+){0,3} (?:taux|âge|nombre|température|plafond|seuil|"
        r"note|pourcentage|vitesse|"
        r"hauteur|distance|superficie|population|poids|longueur|part|taille|largeur|profondeur|quantité|volume|surface)\b|"
        r"\bhow (?:many|much|far|old|large|high|big|fast)\b|\bfrom what age\b|\b(?:maximum|minimum|largest|"
        r"smallest|number|rate|size|share|percentage|quantity|weight|height|speed) |"
        r"\bكم\b|ما (?:هو |هي )?(?:ال)?(?:مقدار|عدد|نسبة|حد|عرض|درجة|سرعة|طول|علو|ارتفاع|مساحة|وزن|حجم|سن)|عند (?:أي|اي) درجة",
    ),
    (AnswerKind.PLACE, r"\b(?:où|quel endroit|quel lieu|where|(?:which|what) place)\b|\bأين\b|\bاين\b"),
    (
        AnswerKind.NAME,
        r"^\W*(?:qui est|who (?:is|was) (?:the )?|(?:من هو|من هي)(?!.*\b(?:الذي|التي)\b))|"
        r"\b(?:quelle|quelles) (?:entreprise|société|banque)s?\b|\b(?:which|what) (?:company|bank|firm|supplier)\b|"
        r"(?:أي|اي) (?:شركة|بنك)",
    ),
    (
        AnswerKind.PERSON,
        r"^\W*(?:\w+ )?(?:qui|who|whom)\b|\bto whom\b|\bquelle (?:direction|autorité|commission)\b|^\W*(?:إلى |"
        r"ل)?من\b|^\W*(?:لمن|ممن)\b",
    ),
    (
        AnswerKind.REASON,
        r"^\W*(?:\w+ ){0,2}(?:pourquoi|why)\b|\bpour quel(?:le)?s? (?:raison|motif)s?\b|\bfor what reasons?\b|"
        r"\bwhat (?:is|was|are|were) the reasons?\b|لماذا|لم لا|ما (?:هو )?(?:ال)?سبب|لأي سبب",
    ),
    (
        AnswerKind.YES_NO,
        r"^\W*هل\b|^\W*est-ce qu|^(?!.*\b(?:quel\w*|quoi|comment|pourquoi|que|qu'|où)\b).*\b(?:peut|peuvent|"
        r"puis|doit|doivent|faut|est|sont|a|ai|y a)-(?:t-)?(?:on|je|il|elle|ils|elles|ce)\b|"
        r"^\W*(?:is|are|was|were|can|may|must|do|does|did|should|will|has|have)\b|^\W*ai-je\b",
    ),
)
_ASKS_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ASKS)

_NUMBER_WORDS = (
    r"deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingt|trente|"
    r"quarante|cinquante|soixante|cent|mille|moitié|"
    r"tiers|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|twenty|"
    r"thirty|forty|fifty|"
    r"sixty|hundred|thousand|half|third|(?:و|ب|ل)?(?:واحد\w*|اثن\w+|ثلاث\w*|أربع\w*|اربع\w*|خمس\w*|ست[ةه]?|ستين|"
    r"ستون|سبع\w*|ثمان\w*|"
    r"تسع\w*|عشر\w*|مائة|ألف|نصف\w*|ثلث\w*|ربع|يومان|يومين|شهران|شهرين|سنتان|سنتين|مترين|متران|مرتين|درجتين|مكانين|مرة)"
)
_MONTHS = (
    r"janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|january|february|"
    r"march|april|may|june|"
    r"july|august|september|october|november|december|يناير|فبراير|مارس|أبريل|ماي|مايو|يونيو|يوليوز|يوليو|غشت|"
    r"أغسطس|شتنبر|سبتمبر|"
    r"أكتوبر|نونبر|نوفمبر|دجنبر|ديسمبر|رمضان"
)
_DAYS = (
    r"lundis?|mardis?|mercredis?|jeudis?|vendredis?|samedis?|dimanches?|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|"
    r"الاثنين|الإثنين|الثلاثاء|الأربعاء|الخميس|الجمعة|السبت|الأحد"
)
_DURATION = (
    rf"(?:\d|\b(?:{_NUMBER_WORDS}|un|une|an?|one|chaque|each|every))\S*(?:[ -]\w+){{0,2}}? ?(?:{_UNITS})\b|"
    rf"\b(?:و|ب|ل)?(?:ال)?(?:{_UNITS})\b(?<=[ء-ي])|"
    rf"(?:\b(?:du|from|between|entre)\b|\bمن)[^.|]{{0,30}}?\b(?:{_MONTHS})[^.|]{{0,12}}? (?:au|to|until|and|et le|إلى) |"
    r"\b\d+ ?(?:h|mn|min|hrs?|secondes?|seconds?)\b|\bsans limitation\b|\bimmédiatement\b|\bwithout delay\b"
)
_CLOCK = (
    r"\b\d{1,2} ?h(?:eures?)?\b|\b\d{1,2}:\d\d\b|\b\d{1,2}(?:\.\d\d)? ?[ap]\.?m\b|\b(?:midi|noon|minuit|midnight)\b|"
    r"الساعة|صباحا|مساء|زوالا"
)
_DATE = (
    rf"\b(?:1[0-9]|20)\d\d\b|\b\d{{1,2}}/\d{{1,2}}/|\b(?:{_MONTHS}|{_DAYS})\b|{_CLOCK}|"
    r"\b(?:avant|après|dès|lorsque|pendant|dans les?|à compter|à partir|au plus tard|entre|before|after|within|"
    r"until|when|during|as soon as|"
    r"at least)\b|قبل|بعد|خلال|عند|ابتداء|إذا|في أجل"
)
_NAMED = r"[^\s|•.!?:…]\s+[A-ZÀ-Ý][\w'’-]+"
"""A capital inside a sentence: not where a sentence, a table cell or a list item begins."""
CALENDAR = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|Janvier|Février|Mars|Avril|Mai|Juin|Juillet|Août|Septembre|Octobre|"
    r"Novembre|Décembre|Christmas|Easter|New Year['’]s Day|English|French|Arabic)\b"
)
"""What English writes with a capital and names neither somebody nor a place."""
_HANDED_IN = re.compile(
    r"\b(?:adress\w+|envoy\w+|dépos\w+|demand\w+|transm\w+|remet\w+|signal\w+|déclar\w+|send|apply|submit\w*|lodge\w*|"
    r"hand(?:ed)? in|report\w*|return\w*|file)\b|\b[يتن]?(?:ودع|قدم|رسل|وجه|صرح)\b",
    re.IGNORECASE,
)
"""Of what is sent or handed in, a body says where as well as an address does."""
_FULL_NAME = (
    r"\b(?:M\.|MM\.|Mme|Mr|Mrs|Ms|Dr|[Mm]aître|Me)\s+[A-ZÀ-Ý]|[a-zà-ÿ,;:]\s+[A-ZÀ-Ý][a-zà-ÿ]+\s+[A-ZÀ-Ý][a-zà-ÿ]+|"
    r"(?:الأستاذة?|السيدة?|الدكتورة?)\s"
)
_SHOWS = {
    AnswerKind.DURATION: re.compile(_DURATION, re.IGNORECASE),
    AnswerKind.AMOUNT: re.compile(
        r"[€$£]|\d ?(?:%|euros?\b|francs?\b|dollars?\b|يورو|درهم|دينار)|\b(?:gratuit\w*|free|percent|"
        r"par cent)\b|\b(?:half|rent|moitié|loyers?)\b|\w{4,}th of|يورو|درهم|مجان\w*|"
        r"بلا (?:زيادة|مقابل)|٪|\b(?:و|ب)?(?:نصف|ثلث|ربع)(?!\w{4})|كاملة\b|دون أجر",
        re.IGNORECASE,
    ),
    AnswerKind.NUMBER: re.compile(rf"\d|\b(?:{_NUMBER_WORDS}|une? seule?|gratuit\w*|free)\b|مجان", re.IGNORECASE),
    AnswerKind.TIME: re.compile(_CLOCK, re.IGNORECASE),
    AnswerKind.DATE: re.compile(_DATE, re.IGNORECASE),
    AnswerKind.PLACE: re.compile(
        r"\b(?:rue|place|avenue|quai|bureau|bâtiment|salle|étage|guichet|mairie|hôtel|situé\w*|sous|chez|auprès|"
        r"street|road|square|"
        r"room|floor|building|office|vault|located|centre|center|near|counter|desk|site|page|rubrique|onglet|paramètres|portail|"
        r"plateforme|website|portal|online|settings)\b|شارع|ساحة|مكتب|مبنى|قاعة|"
        r"طابق|مقر|شباك|يقع|تقع|"
        rf"لدى|مدينة|مكان|دار|{_NAMED}"
    ),
    AnswerKind.PERSON: re.compile(
        r"\b(?i:maire|préside\w+|direct\w+|chefs?|préfet\w*|ministres?|commission|comité|services?|agents?|"
        r"officiers?|mayor|president|"
        r"head|minister|committee|board|officers?|council|authority|médiat\w+|ombuds\w+|owner|landlord|"
        r"bénéficiaires?|parents?|residents?|responsables?|adjointe?s?|titulaires?|usagers?|élue?s?|employé\w*|gardiens?|"
        r"adultes?|adults?|enfants?|children|minors?|students?|étudiante?s?|visitors?|staff|employees?|holders?|tenants?|guards?|"
        r"habitants?|personnes?|people|équipes?|acteurs?|citoyens?|organismes?|associations?|entreprises?|"
        r"team|company|anyone|everyone|chacun|quiconque|citizens?|members?|membres?|tribunal|court|\w{4,}(?:ator|eur|euse|rice)s?)\b|رئيس|مدير|وزير|"
        rf"سلطة|محكمة|لجنة|مصلحة|عامل|والي|مجلس|وسيط|لكل شخص|ممثل|{_NAMED}"
    ),
    AnswerKind.NAME: re.compile(_FULL_NAME),
    AnswerKind.PHONE: re.compile(r"\b0\d{3} ?\d{3}|\b(?:poste|extension|الرقم|رقم)\b[^.]{0,15}\d{3}|\+\d"),
    AnswerKind.MAIL: re.compile(r"@"),
    AnswerKind.REASON: re.compile(
        r"\b(?:car|parce qu\w*|puisqu\w*|afin|pour (?:que|\w+[eio]r)|en raison|à cause|en vue|grâce à|faute de|compte tenu|"
        r"motif\w*|raisons?|lié\w*|vis\w+ à|permet\w*|évit\w+|garanti\w*|dans le but|de sorte|objectif\w*|conséquence\w*|"
        r"motivé\w*|fait apparaître|because|since|so that|in order|due to|owing|therefore|purpose|aims?|allows?|reasons?|"
        r"ensur\w+|avoid\w*|to \w+|as (?:it|they|the|this)|result\w*|necessary|based on)\b|"
        r"\b(?:و|ف)?(?:لأن\w*|بسبب|نظرا|حتى|لكي|كي|من أجل|بغية|قصد|بهدف|يهدف|تهدف|لتفادي|لضمان|حرصا|تيسير|دون إخلال|أظهر\w*)|"
        r"\bل[تي]\w{3,}",
        re.IGNORECASE,
    ),
    AnswerKind.YES_NO: re.compile(
        r"\b(?:ne|n'|n’|pas|aucun\w*|interdit\w*|autorisé\w*|permis\w*|exclu\w*|peu\w+|doi\w+|réservé\w*|"
        r"obligatoire\w*|admis\w*|accepté\w*|"
        r"gratuit\w*|sauf|no|not|never|none|nor|may|must|can|cannot|forbidden|allowed|required|accepted|refused|"
        r"free|only|unless|except\w*)\b"
        r"|\b(?:و|ف)?(?:لا|لم|لن|ليس\w*|يجوز|يمنع|يمكن|تقبل|يقبل|يجب|يشترط|يسمح|تمنح|إلا)\b",
        re.IGNORECASE,
    ),
}
_BY_WORDS = frozenset({AnswerKind.PERSON, AnswerKind.NAME, AnswerKind.PLACE})
"""Kinds that a word of the question could seem to show: "qui préside la commission" is not answered by "la commission"."""
_WITH_ARTICLE = re.compile(
    r"\b(?:[Tt]he|[Aa]n?|[Ll][ea]s?|du|de|des|au|aux|[Ii]n|à)\s(?:\w+\s)?(?:[A-ZÀ-Ý][\w'’-]+\s?)+|"
    r"[ldLD]['’](?:[A-ZÀ-Ý][\w'’-]+\s?)+"
)
"""Capitalised words after an article name a place or a body, not somebody."""
_COUNTED = re.compile(
    r"\bhow many (?P<things>(?:[\w-]+ )*?(?!times\b)[\w-]{3,})"
    r"(?=\s*\?| (?:are|is|do|does|did|has|have|had|were|was|may|can|could|must|should|will|in|of|on|per|from|an?|the)\b)|"
    r"(?:\bcombien d['e]|كم (?:(?:[يت]بلغ|هو|كان) )?عدد|كم من|كم)\s*(?!fois|مرة|[يت]بلغ|كان|[يت]دوم|[يت]كون)"
    r"(?:ال)?(?P<noun>[^\W\d_]{3,})",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r" (?:in|of|on|per|from|an?|the)\b", re.IGNORECASE)
_NUMBER = re.compile(rf"(?:\d|\b(?:{_NUMBER_WORDS}|seule?|single)\b)", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")
_ASCII_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫", "01234567890123456789.")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


_LOOSE_KINDS = frozenset({AnswerKind.ANY, AnswerKind.YES_NO})
"""What answers these takes so many forms that its absence proves nothing."""
_BY_CAPITALS = frozenset({AnswerKind.PERSON, AnswerKind.PLACE})
"""So do names in a script without capitals: on ar-xquad the sentence that answers shows no person 19 times of 28."""


def answer_kind(question: str) -> AnswerKind:
    """What the question asks for, by its cue words in French, Arabic or English.

    >>> [answer_kind(q).value for q in ("À partir de quelle date ?", "كم مدة الإجازة؟", "How much is it?", "Why?", "How?")]
    ['date', 'duration', 'amount', 'reason', 'any']
    """
    text = question.replace("’", "'")
    return next((kind for kind, pattern in _ASKS_PATTERNS if pattern.search(text)), AnswerKind.ANY)


def shows_kind(sentence: str, kind: AnswerKind, question: str) -> bool:
    """True when the sentence holds something of this kind that the question does not say itself."""
    if kind is AnswerKind.ANY:
        return True
    said = set(numbers(question))
    if kind is AnswerKind.NAME:
        sentence = _WITH_ARTICLE.sub(" ", sentence)
    if kind in _BY_WORDS:
        asked = {_number_aside(word) for word in _WORD.findall(question)}
        sentence = CALENDAR.sub("-", sentence)
        sentence = _WORD.sub(lambda match: "-" if _number_aside(match.group()) in asked else match.group(), sentence)
    own = _DIGITS.sub(lambda match: "" if match.group() in said else match.group(), sentence.translate(_ASCII_DIGITS))
    kinds = (kind, AnswerKind.PERSON) if kind is AnswerKind.PLACE and _HANDED_IN.search(question) else (kind,)
    return any(_SHOWS[each].search(own) for each in kinds)


def _number_aside(word: str) -> str:
    """The word in small letters without the s of a plural, so that "agent" is a word of "les agents"."""
    return word.casefold().removesuffix("s")


def lacks_kind(sentence: str, kind: AnswerKind, question: str, language: str) -> bool:
    """True when the sentence holds nothing of this kind and would if it answered; False for kinds that take any form."""
    loose = kind in _LOOSE_KINDS or (language == "ar" and kind in _BY_CAPITALS)
    return not loose and not shows_kind(sentence, kind, question)


def numbers(text: str) -> tuple[str, ...]:
    """The numbers of a text in ASCII digits, in order: "n° 2019-1479" has two."""
    return tuple(_DIGITS.findall(text.translate(_ASCII_DIGITS)))


def years(text: str) -> tuple[str, ...]:
    """The years from 1900 to 2099 in a text, in order."""
    return tuple(_YEAR.findall(text.translate(_ASCII_DIGITS)))


def counts_otherwise(sentence: str, question: str) -> bool:
    """True when the question counts something ("combien de places") and the sentence has no number of it.

    The number stands up to two words before the thing, in a dual form of its name, or anywhere in a table row.
    """
    asked = _COUNTED.search(question.replace("’", "'"))
    if not asked or answer_kind(question) is not AnswerKind.NUMBER or " | " in sentence:
        return False
    things = (asked["things"] or asked["noun"]).casefold().split()
    if not _GOES_ON.match(question, asked.end()):
        things = things[-1:]  # "school places are": nothing but a name; "sites take part in" has a verb in it
    stems = {thing[:3] if "ء" <= thing[0] <= "ي" else thing[:4] for thing in things if len(thing) > 2}
    roots = {skeleton(thing) for thing in things} - {""}
    words = _WORD.findall(sentence.translate(_ASCII_DIGITS).casefold())
    for position, word in enumerate(words):
        bare = word.removeprefix("و").removeprefix("ال")
        near = (*words[max(0, position - 3) : position], *words[position + 1 : position + 2])
        if (bare.startswith(tuple(stems)) or skeleton(word) in roots) and (
            bare.endswith(("ين", "ان")) or any(_NUMBER.match(other) for other in near)
        ):
            return False
    return True


_IN_WORDS = {
    word: str(value)
    for value, words in {
        2: "deux two اثنان اثنين يومان يومين شهران شهرين سنتان سنتين مرتان مرتين ساعتان ساعتين أسبوعان أسبوعين",
        3: "trois three ثلاث ثلاثة",
        4: "quatre four أربع أربعة",
        5: "cinq five خمس خمسة",
        6: "six ست ستة",
        7: "sept seven سبع سبعة",
        8: "huit eight ثمان ثمانية ثماني",
        9: "neuf nine تسع تسعة",
        10: "dix ten عشر عشرة",
        11: "onze eleven",
        12: "douze twelve",
        13: "treize thirteen",
        14: "quatorze fourteen",
        15: "quinze fifteen",
        16: "seize sixteen",
        20: "vingt twenty عشرون عشرين",
        30: "trente thirty ثلاثون ثلاثين",
        40: "quarante forty أربعون أربعين",
        48: "quarante-huit forty-eight",
        50: "cinquante fifty خمسون خمسين",
        60: "soixante sixty ستون ستين",
        90: "quatre-vingt-dix ninety تسعون تسعين",
        100: "cent hundred مائة",
    }.items()
    for word in words.split()
}
_VALUE = re.compile(r"\d+(?:[ \u00a0\u202f]\d{3})*(?:[.,]\d+)?|[^\W\d_]+(?:-[^\W\d_]+)*")


def values(text: str) -> tuple[str, ...]:
    """The numbers of a text, those in words among them, in order.

    >>> values("trente jours, 2,88 € et 3 500 000 €, ثلاثة أيام")
    ('30', '2.88', '3500000', '3')
    """
    found = []
    for token in _VALUE.findall(text.translate(_ASCII_DIGITS)):
        if token[0].isdigit():
            found.append(re.sub(r"[ \u00a0\u202f]", "", token).replace(",", "."))
        else:
            word = token.casefold().removeprefix("و") if token not in _IN_WORDS else token
            found += [_IN_WORDS[word]] if word in _IN_WORDS else []
    return tuple(found)
