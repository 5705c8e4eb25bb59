"""Pairs of a claim and its source that turn on one decision of the check, in French, Arabic and English."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.caution import Cautious
from assistant.grounding import Verifier
from assistant.types import Verdict

VERIFIER = Verifier()
SHOWN = {Verdict.QUOTED, Verdict.SUPPORTED}


def verdict(claim: str, language: str, passage: str) -> Verdict:
    return VERIFIER.check(claim, language, [passage]).verdict


def shown(claim: str, language: str, passage: str) -> bool:
    return verdict(claim, language, passage) in SHOWN


# --- denials -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "Les chiens sont admis sur la plage.", "Les chiens ne sont guère admis sur la plage."),
        ("fr", "La carte est acceptée à l'étranger.", "La carte est à peine acceptée à l'étranger."),
        ("fr", "La carte est acceptée.", "La carte n'est acceptée nulle part."),
        ("fr", "Le service répond aux plaintes.", "Le service répond rarement aux plaintes."),
        ("en", "The card is accepted.", "The card is hardly accepted."),
        ("en", "The card is accepted.", "The card is accepted nowhere."),
        ("en", "The service answers complaints.", "The service scarcely answers complaints."),
        ("en", "The service answers complaints.", "The service barely answers complaints."),
        ("en", "The service answers complaints.", "The service seldom answers complaints."),
        ("ar", "تجيب المصلحة عن الشكايات.", "بالكاد تجيب المصلحة عن الشكايات."),
        ("ar", "تجيب المصلحة عن الشكايات.", "نادرًا ما تجيب المصلحة عن الشكايات."),
        ("ar", "تجيب المصلحة عن الشكايات.", "قلما تجيب المصلحة عن الشكايات."),
        ("ar", "تجيب المصلحة عن الشكايات.", "لا تكاد تجيب المصلحة عن الشكايات."),
    ],
)
def test_what_hardly_or_nowhere_holds_does_not_hold(language: str, claim: str, passage: str) -> None:
    assert not shown(claim, language, passage)
    assert shown(passage, language, passage)


def test_on_pain_of_is_no_denial() -> None:
    passage = "La requête est déposée dans les deux mois, à peine de forclusion."
    assert shown("La requête est à déposer dans un délai de deux mois.", "fr", passage)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "La Collectivité paie 4,80 € du titre de 8,00 €.",
         "L'agent qui n'a pas accès à un restaurant reçoit un titre de 8,00 €, dont 4,80 € payés par la Collectivité."),
        ("en", "The department pays 4.80 euros of the voucher of 8 euros.",
         "An employee who has no access to a canteen receives a voucher of 8 euros, of which the department pays 4.80 euros."),
        ("ar", "تؤدي الإدارة 4 يورو من قسيمة الطعام.",
         "يتسلم الموظف الذي لا يستفيد من المطعم قسيمة الطعام وتؤدي الإدارة منها 4 يورو."),
    ],
)  # fmt: skip
def test_denial_of_something_else_in_the_sentence_withholds_nothing(language: str, claim: str, passage: str) -> None:
    assert shown(claim, language, passage)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "La bibliothèque n'ouvre que le samedi et n'est pas chauffée.",
         "La salle est au port. La bibliothèque n'ouvre que le samedi, et elle n'est pas chauffée."),
        ("en", "The library opens only on Saturdays and is not heated.",
         "The hall is at the port. The library opens only on Saturdays and it is not heated."),
        ("ar", "تفتح المكتبة يوم السبت فقط ولا تعير الكتب.",
         "القاعة في الميناء. تفتح المكتبة أبوابها يوم السبت فقط ولا تعير الكتب."),
    ],
)  # fmt: skip
def test_only_and_not_may_stand_side_by_side_as_in_the_source(language: str, claim: str, passage: str) -> None:
    assert shown(claim, language, passage)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "La caution est versée avant la remise des clés.", "Les clés sont remises après le versement de la caution."),
        ("en", "The deposit is paid before the keys are handed over.", "The keys are handed over after the deposit is paid."),
        ("ar", "تؤدى الضمانة قبل تسليم المفاتيح.", "تسلم المفاتيح بعد أداء الضمانة."),
    ],
)  # fmt: skip
def test_one_order_of_events_told_from_its_other_end_is_supported(language: str, claim: str, passage: str) -> None:
    assert shown(claim, language, passage)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "La demande est déposée après le 15 mars.", "La demande est déposée avant ou après le 15 mars, au choix."),
        ("en", "The request is filed after 15 March.", "The request is filed before or after 15 March."),
        ("ar", "يودع الطلب بعد 15 مارس.", "يودع الطلب قبل أو بعد 15 مارس."),
    ],
)  # fmt: skip
def test_word_that_stands_there_beside_its_opposite_is_not_contradicted(
    language: str, claim: str, passage: str
) -> None:
    assert shown(claim, language, passage)


# --- permitting and demanding ----------------------------------------------------------------------------------------

BOTH = {
    "fr": "Le candidat doit s'inscrire à la mairie et peut choisir sa langue.",
    "en": "The candidate must register at the town hall and may choose the language.",
    "ar": "يجب على المترشح التسجيل في البلدية ويجوز له اختيار اللغة.",
}


@pytest.mark.parametrize(
    ("language", "right", "wrong"),
    [
        ("fr", "Le candidat peut choisir sa langue.", "Le candidat doit choisir sa langue."),
        ("fr", "Le candidat doit s'inscrire à la mairie.", "Le candidat peut s'inscrire à la mairie."),
        ("fr", "C'est à la mairie que le candidat doit s'inscrire.", "C'est à la mairie que le candidat peut s'inscrire."),
        ("en", "The candidate may choose the language.", "The candidate must choose the language."),
        ("en", "At the town hall the candidate must register.", "At the town hall the candidate may register."),
        ("ar", "يجوز للمترشح اختيار اللغة.", "يجب على المترشح اختيار اللغة."),
        ("ar", "في البلدية يجب على المترشح التسجيل.", "في البلدية يجوز للمترشح التسجيل."),
    ],
)  # fmt: skip
def test_of_two_acts_one_is_permitted_and_the_other_demanded(language: str, right: str, wrong: str) -> None:
    assert shown(right, language, BOTH[language])
    assert not shown(wrong, language, BOTH[language])


@pytest.mark.parametrize(
    ("language", "claim"),
    [
        ("fr", "Le candidat peut s'inscrire à la mairie."),
        ("en", "The candidate may register at the town hall."),
        ("ar", "يجوز للمترشح التسجيل في البلدية."),
    ],
)
def test_permission_for_a_duty_is_not_even_partly_supported(language: str, claim: str) -> None:
    assert verdict(claim, language, BOTH[language]) is Verdict.UNSUPPORTED


# --- figures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "L'audience se tient au troisième étage du tribunal.", "L'audience se tient au deuxième étage du tribunal."),
        ("en", "The hearing is held on the third floor of the court.", "The hearing is held on the second floor of the court."),
        ("ar", "تعقد الجلسة في الطابق الثالث من المحكمة.", "تعقد الجلسة في الطابق الثاني من المحكمة."),
    ],
)  # fmt: skip
def test_another_ordinal_is_not_supported(language: str, claim: str, passage: str) -> None:
    assert not shown(claim, language, passage)


HEADED = {
    "fr": "Article 8. Horaires.\nLe service ouvre le lundi.\nArticle 9. Congés annuels.\nL'agent dépose sa demande. "
    "Le chef de service répond par écrit à l'agent.",
    "en": "Article 8. Hours.\nThe office opens on Mondays.\nArticle 9. Annual leave.\nThe employee files a request. "
    "The head of service replies in writing to the employee.",
    "ar": "المادة 8. الأوقات.\nتفتح المصلحة يوم الاثنين.\nالمادة 9. العطلة السنوية.\nيقدم الموظف الطلب. "
    "يرد رئيس المصلحة على الموظف كتابة.",
}


@pytest.mark.parametrize(
    ("language", "claim"),
    [
        ("fr", "Selon l'article {}, le chef de service répond par écrit."),
        ("en", "Under article {}, the head of service replies in writing."),
        ("ar", "طبقا للمادة {} يرد رئيس المصلحة كتابة."),
    ],
)
def test_article_is_the_one_of_the_heading_right_above(language: str, claim: str) -> None:
    assert shown(claim.format(9), language, HEADED[language])
    assert not shown(claim.format(8), language, HEADED[language])
    assert not shown(claim.format(7), language, HEADED[language])


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "Selon l'article {}, le bailleur rend la caution par chèque.",
         "Le bailleur rend la caution au locataire par chèque.\nRéférences : article 12 du code."),
        ("en", "Under article {}, the landlord returns the deposit by cheque.",
         "The landlord returns the deposit to the tenant by cheque.\nReferences: article 12 of the code."),
        ("ar", "طبقا للمادة {} يرد المؤجر الضمانة بشيك.", "يرد المؤجر الضمانة للمكتري بشيك.\nالمراجع: المادة 12 من المدونة."),
    ],
)  # fmt: skip
def test_article_may_stand_among_the_references_at_the_end(language: str, claim: str, passage: str) -> None:
    assert shown(claim.format(12), language, passage)
    assert not shown(claim.format(13), language, passage)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "Les factures d'eau sont envoyées en deux fois, en mai et en novembre.",
         "Les factures d'eau sont envoyées en mai et en novembre."),
        ("en", "Water bills are sent two times, in May and in November.", "Water bills are sent in May and in November."),
        ("ar", "ترسل فواتير الماء على دفعتين اثنتين في ماي ونونبر.", "ترسل فواتير الماء في ماي ونونبر."),
    ],
)  # fmt: skip
def test_claim_may_count_what_its_source_lists(language: str, claim: str, passage: str) -> None:
    assert shown(claim, language, passage)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "L'agent reçoit des jours de repos, {} au plus par année civile.",
         "L'agent reçoit des jours de repos dans la limite de quatre-vingt-dix jours par année civile."),
        ("en", "The employee receives days of rest, {} at most per calendar year.",
         "The employee receives rest, at most ninety days per calendar year."),
        ("ar", "أيام الراحة التي يستفيد منها الموظف {} في السنة.", "يستفيد الموظف من أيام الراحة في حدود 90 يوما في السنة."),
    ],
)  # fmt: skip
def test_unit_may_stand_away_from_its_number(language: str, claim: str, passage: str) -> None:
    assert shown(claim.format(90), language, passage)
    assert not shown(claim.format(60), language, passage)


def test_article_before_a_unit_is_a_number_only_where_the_unit_is_named() -> None:
    claim = "Le stationnement d'une heure coûte 2 € au port."
    assert shown(claim, "fr", "Le stationnement au port coûte 2 € l'heure. Le parc est fermé la nuit.")
    elsewhere = "Le stationnement au port coûte 2 € le mois. Le parc ferme pour une heure. L'heure est affichée."
    assert not shown(claim, "fr", elsewhere)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "Le budget {} est publié au recueil.", "Au recueil est publié le budget de deux mille vingt-quatre."),
        ("en", "The budget of {} is published in the gazette.",
         "In the gazette is published the budget of two thousand and twenty-four."),
        ("ar", "نشرت ميزانية {} في الجريدة.", "في الجريدة نشرت ميزانية ألفين وأربعة وعشرين."),
    ],
)  # fmt: skip
def test_year_in_words_supports_the_year_and_no_day_of_it(language: str, claim: str, passage: str) -> None:
    day = {"fr": "du 3 mai 2024", "en": "3 May 2024", "ar": "3 ماي 2024"}[language]
    year = {"fr": "de 2024", "en": "2024", "ar": "2024"}[language]
    assert shown(claim.format(year), language, passage)
    assert not shown(claim.format(day), language, passage)


@pytest.mark.parametrize("hour", ["4 h 30", "4h30", "4 heures 30"])
def test_hour_of_the_morning_is_not_that_of_the_afternoon_where_french_writes_h(hour: str) -> None:
    passage = "À la mairie, la réunion du conseil commence à 16 h 30."
    assert shown("La réunion du conseil commence à 16h30 à la mairie.", "fr", passage)
    assert shown("La réunion du conseil commence à 4 h 30 de l'après-midi à la mairie.", "fr", passage)
    assert not shown(f"La réunion du conseil commence à {hour} à la mairie.", "fr", passage)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("en", "The meeting of the council begins at 4:30 at the town hall.",
         "At the town hall the meeting of the council begins at 4:30 p.m."),
        ("ar", "تبدأ الجلسة على الساعة الرابعة في البلدية.", "في البلدية تبدأ الجلسة على الساعة الرابعة مساء."),
    ],
)  # fmt: skip
def test_half_of_the_day_may_be_left_out_where_the_clock_has_twelve_hours(
    language: str, claim: str, passage: str
) -> None:
    assert shown(claim, language, passage)


def test_hour_is_one_with_h_and_in_letters() -> None:
    passage = "Le jeudi, la mairie ferme à 20 heures."
    assert shown("La mairie ferme à 20 h le jeudi.", "fr", passage)
    assert not shown("La mairie ferme à 19 h le jeudi.", "fr", passage)


# --- who ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "Le gestionnaire notifie la décision de refus dans les deux jours.",
         "La décision de refus est notifiée au gestionnaire dans les deux jours."),
        ("en", "The manager notifies the decision of refusal within two days.",
         "The decision of refusal is notified to the manager within two days."),
        ("ar", "تدرس لجنة الضرائب طلبات الإعفاء كل شهر.",
         "تدرس مصلحة الميناء طلبات الإعفاء كل شهر. وتجتمع لجنة الضرائب في الربيع."),
        ("ar", "تدرس مصلحة الضرائب طلبات الإعفاء كل شهر.",
         "تدرس لجنة الميناء طلبات الإعفاء كل شهر. وتجتمع مصلحة الضرائب في الربيع."),
    ],
)  # fmt: skip
def test_whoever_is_told_or_named_elsewhere_does_not_do_it(language: str, claim: str, passage: str) -> None:
    assert not shown(claim, language, passage)


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("يسلم للمستفيد الوصل.", "يسلم الوصل للمستفيد."),
        ("تسلم بالمجان الشهادة للسكان.", "تسلم الشهادة للسكان بالمجان."),
    ],
)
def test_arabic_preposition_after_a_verb_is_no_subject(claim: str, passage: str) -> None:
    assert shown(claim, "ar", passage)


# --- which sentence -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "La carte du port est valable.",
         "La carte du port n'est pas valable à bord. La carte que délivre le port est valable."),
        ("en", "The harbour card is valid.",
         "The harbour card is not valid on board. The card of the harbour office is valid."),
        ("ar", "بطاقة الميناء صالحة.", "بطاقة الميناء غير صالحة على المتن. البطاقة التي يسلمها الميناء صالحة."),
    ],
)  # fmt: skip
def test_of_two_sentences_the_one_that_does_not_contradict_is_taken(language: str, claim: str, passage: str) -> None:
    assert shown(claim, language, passage)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "La cellule d'écoute rappelle l'auteur sous trois jours ouvrés.",
         "La cellule d'écoute est joignable du lundi au samedi. Elle est tenue au secret et rappelle l'auteur du signalement "
         "dans les trois jours ouvrés."),
        ("en", "The unit calls the author back within three working days.",
         "The unit can be reached from Monday to Saturday. It is bound to secrecy and calls the author of the report back "
         "within three working days."),
        ("ar", "طبقا للمادة 12 يرد المؤجر الضمانة بشيك.", "يرد المؤجر الضمانة للمكتري بشيك.\nالمراجع: المادة 12 من المدونة."),
    ],
)  # fmt: skip
def test_of_the_sentences_the_one_with_the_better_odds_is_taken(language: str, claim: str, passage: str) -> None:
    assert shown(claim, language, passage)


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("fr", "La demande de télétravail est annulée par le chef de service deux mois avant la date souhaitée, et la réponse "
         "est écrite.",
         "La demande de télétravail est adressée au chef de service deux mois avant la date souhaitée. La réponse est écrite."),
        ("en", "Recordings of the harbour cameras are destroyed for thirty days at the port office, and the list is public.",
         "Recordings of the harbour cameras are kept for thirty days at the port office. The list is public."),
        ("ar", "يلغى طلب رخصة البناء لدى رئيس الجماعة قبل ثلاثين يوما من بدء الأشغال، والسجل عمومي.",
         "يقدم طلب رخصة البناء لدى رئيس الجماعة قبل ثلاثين يوما من بدء الأشغال. السجل عمومي."),
    ],
)  # fmt: skip
def test_invented_word_beside_a_second_true_fact_is_still_seen(language: str, claim: str, passage: str) -> None:
    assert Cautious(VERIFIER).check(claim, language, [passage]).verdict not in SHOWN


@pytest.mark.parametrize(
    ("language", "claim", "passage"),
    [
        ("ar", "تبقى شبابيك الحالة المدنية مفتوحة يوم الخميس حتى السادسة مساء.",
         "تستقبل شبابيك الحالة المدنية الجمهور من الاثنين إلى الجمعة، من الساعة 8:30 صباحا إلى الساعة 16:30 مساء. ويمدد "
         "الاستقبال يوم الخميس إلى الساعة 18:00 مساء."),
    ],
)  # fmt: skip
def test_paraphrase_is_held_against_the_sentence_it_follows_and_no_other(
    language: str, claim: str, passage: str
) -> None:
    assert Cautious(VERIFIER).check(claim, language, [passage]).verdict in SHOWN


# --- whatever is said --------------------------------------------------------------------------------------------

CROSSED = {
    "fr": "Les deux parties signent le bail. Le maire répond sous 10 jours, sauf recours. Elle ne paie rien : 5 € l'heure",
    "en": "Both parties sign the two leases. The mayor answers within 10 days, unless an appeal is made. It costs nothing: €5",
    "ar": "يوقع الطرفان الاثنان العقد الثاني. تسلم اللجنة الخمس 10 وثائق، ولا",
}


def test_arabic_number_after_a_subject_can_be_checked() -> None:
    assert not shown("يوقع الطرفان الاثنان العقد.", "ar", "يوقع المكري والمكتري الوصل.")


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_words_in_any_order_are_judged_without_an_error(language: str, data: st.DataObject) -> None:
    words = st.sampled_from(CROSSED[language].split())
    claim, passage = (" ".join(data.draw(st.lists(words, min_size=1, max_size=12))) for _ in range(2))
    assert Cautious(VERIFIER).check(claim, language, [passage]).verdict in Verdict
