import pytest

from assistant.answer_kinds import AnswerKind, answer_kind, counts_otherwise, lacks_kind, shows_kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Combien de jours ?", AnswerKind.DURATION),
        ("Dans quel délai ?", AnswerKind.DURATION),
        ("À partir de combien d'ancienneté ?", AnswerKind.DURATION),
        ("How long is the leave?", AnswerKind.DURATION),
        ("كم مدة الإجازة؟", AnswerKind.DURATION),
        ("Quel est le montant de la prime ?", AnswerKind.AMOUNT),
        ("Combien coûte le badge ?", AnswerKind.AMOUNT),
        ("What is the fine?", AnswerKind.AMOUNT),
        ("كم تكلف البطاقة؟", AnswerKind.AMOUNT),
        ("Combien de places ?", AnswerKind.NUMBER),
        ("How many rooms are there?", AnswerKind.NUMBER),
        ("كم عدد الأماكن؟", AnswerKind.NUMBER),
        ("À quelle heure ferme la salle ?", AnswerKind.TIME),
        ("What are the opening hours?", AnswerKind.TIME),
        ("في أي ساعة؟", AnswerKind.TIME),
        ("À partir de quelle date ?", AnswerKind.DATE),
        ("Jusqu’à quand ?", AnswerKind.DATE),
        ("When does it start?", AnswerKind.DATE),
        ("متى يبدأ التسجيل؟", AnswerKind.DATE),
        ("Où se trouve la vanne ?", AnswerKind.PLACE),
        ("Where is it stored?", AnswerKind.PLACE),
        ("أين يوجد المكتب؟", AnswerKind.PLACE),
        ("Qui signe l'arrêté ?", AnswerKind.PERSON),
        ("Who decides?", AnswerKind.PERSON),
        ("Qui est le directeur ?", AnswerKind.NAME),
        ("Which company won?", AnswerKind.NAME),
        ("من هو المسؤول؟", AnswerKind.NAME),
        ("Quel est le numéro de téléphone ?", AnswerKind.PHONE),
        ("ما رقم الهاتف؟", AnswerKind.PHONE),
        ("What is the e-mail address?", AnswerKind.MAIL),
        ("Peut-on payer par chèque ?", AnswerKind.YES_NO),
        ("Is it allowed?", AnswerKind.YES_NO),
        ("هل يجوز ذلك؟", AnswerKind.YES_NO),
        ("Pourquoi ?", AnswerKind.REASON),
        ("Why was it refused?", AnswerKind.REASON),
        ("لماذا رفض الطلب؟", AnswerKind.REASON),
        ("Comment faire ?", AnswerKind.ANY),
        ("Combien touche un agent ?", AnswerKind.AMOUNT),
        ("What refund do holders get when the ferry stops?", AnswerKind.AMOUNT),
        ("Que devient ma messagerie quand je pars ?", AnswerKind.ANY),
    ],
)
def test_cue_words_tell_what_is_asked_for(question: str, kind: AnswerKind) -> None:
    assert answer_kind(question) is kind


@pytest.mark.parametrize(
    ("sentence", "kind", "shown"),
    [
        ("Le délai est de trente jours.", AnswerKind.DURATION, True),
        ("Le délai est d'un mois.", AnswerKind.DURATION, True),
        ("Le délai est prolongé.", AnswerKind.DURATION, False),
        ("L'horaire d'été s'applique du 1er juillet au 31 août.", AnswerKind.DURATION, True),
        ("Dogs are kept off the beach from 15 May to 30 September.", AnswerKind.DURATION, True),
        ("يطبق التوقيت الصيفي من الأول من يوليوز إلى الحادي والثلاثين من غشت.", AnswerKind.DURATION, True),
        ("La demande part du service le 3 mai.", AnswerKind.DURATION, False),
        ("أجل خمسة أيام", AnswerKind.DURATION, True),
        ("في أجل شهرين", AnswerKind.DURATION, True),
        ("The fee is €12.", AnswerKind.AMOUNT, True),
        ("L'entrée est gratuite.", AnswerKind.AMOUNT, True),
        ("The fee is due in 12 days.", AnswerKind.AMOUNT, False),
        ("الرسم 12 يورو", AnswerKind.AMOUNT, True),
        ("Au plus tard le 31 mai.", AnswerKind.DATE, True),
        ("Late opening is on Wednesday.", AnswerKind.DATE, True),
        ("يبدأ في مارس", AnswerKind.DATE, True),
        ("Le plus tôt possible.", AnswerKind.DATE, False),
        ("The fence is 1.60 metres high.", AnswerKind.TIME, False),
        ("De 9 h à 11 h 30.", AnswerKind.TIME, True),
        ("La vanne est sous l'escalier.", AnswerKind.PLACE, True),
        ("La présidente décide.", AnswerKind.PERSON, True),
        ("The officer, Ms Ingrid Saadallah, advises.", AnswerKind.NAME, True),
        ("It meets in the former Customs House.", AnswerKind.NAME, False),
        ("Appelez le 0800 120.", AnswerKind.PHONE, True),
        ("La note du 3 juin 1996.", AnswerKind.PHONE, False),
    ],
)
def test_sentence_shows_the_kind_or_does_not(sentence: str, kind: AnswerKind, shown: bool) -> None:
    assert shows_kind(sentence, kind, "?") is shown


def test_number_that_the_question_says_itself_shows_nothing() -> None:
    assert not shows_kind("En 2021, le délai fut prolongé.", AnswerKind.NUMBER, "Combien de places en 2021 ?")


def test_body_that_the_question_names_itself_is_no_answer_to_who() -> None:
    assert not shows_kind("The committee meets twice.", AnswerKind.PERSON, "Who chairs the committee?")
    assert shows_kind("The mayor chairs the committee.", AnswerKind.PERSON, "Who chairs the committee?")


@pytest.mark.parametrize(
    ("sentence", "question", "otherwise"),
    [
        ("Les caméras couvrent les 3 quais.", "Combien de caméras ?", True),
        ("Il y a douze caméras.", "Combien de caméras ?", False),
        ("The home has 84 single rooms.", "How many rooms?", False),
        ("The rooms are clean.", "How many rooms?", True),
        ("Two schools offer it.", "How many school places are available?", True),
        ("There are 30 places in each school.", "How many school places are available?", False),
        ("Caméras | 12", "Combien de caméras ?", False),
        ("وتخصص عشرة أماكن للفلاحين", "كم عدد الأماكن؟", False),
        ("أكثر من مكانين متجاورين", "كم مكانا يسند لشخص واحد؟", False),
        ("Le badge est gratuit.", "Le badge est-il gratuit ?", False),
    ],
)
def test_number_belongs_to_the_thing_that_is_counted(sentence: str, question: str, otherwise: bool) -> None:
    assert counts_otherwise(sentence, question) is otherwise


def test_absence_of_a_name_proves_nothing_in_arabic() -> None:
    assert lacks_kind("une note", AnswerKind.PLACE, "Où ?", "fr")
    assert not lacks_kind("مذكرة", AnswerKind.PLACE, "أين؟", "ar")


@pytest.mark.parametrize(
    ("question", "sentence", "shown"),
    [
        ("Who may see the recordings?", "Harbour camera recordings | Thirty days | Erased, unless seized", False),
        ("Who prints the bills?", "Bills are sent in May and November.", False),
        ("Who prints the bills?", "Bills are printed by Ms Ingrid Saadallah.", True),
        ("Qui peut consulter les dossiers des agents ?", "Le dossier de l'agent est conservé dix ans.", False),
        ("Qui peut voir les images ?", "Elles ne sont consultées que par le responsable du poste de garde.", True),
        ("Where is it?", "It is open on Sundays, in July and in August.", False),
        ("Où adresser un arrêt de travail ?", "L'arrêt de travail est adressé à la direction des ressources humaines.", True),
        ("Où se trouve la vanne ?", "La vanne est fermée par la direction.", False),
    ],
)  # fmt: skip
def test_who_and_where_want_a_body_and_not_any_word_with_a_capital(question: str, sentence: str, shown: bool) -> None:
    assert shows_kind(sentence, answer_kind(question), question) is shown
