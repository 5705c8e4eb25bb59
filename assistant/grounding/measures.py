"""Words for units of time and measure in French, English and Arabic, folded, with one name for each unit."""

from __future__ import annotations

import re


def _table(lines: str) -> dict[str, str]:
    return {word: unit for line in lines.strip().splitlines() for unit, *words in (line.split(),) for word in words}


UNITS_OF_TIME = _table("""
day jour jours journee journees day days يوم يوما ايام يومين يومان
half-day demi-journee demi-journees half-day half-days
week semaine semaines week weeks اسبوع اسبوعا اسابيع اسبوعين اسبوعان
month mois month months شهر شهرا اشهر شهور شهرين شهران
quarter trimestre trimestres
semester semestre semestres semester semesters
year an ans annee annees year years سنه سنوات سنين سنتين سنتان عام عاما اعوام عامين عامان
hour heure heures hour hours ساعه ساعات ساعتين ساعتان h
minute minute minutes mn min دقيقه دقائق دقيقتين دقيقتان
second seconde secondes seconds ثانيه ثوان
""")
MEASURES = _table("""
km km kilometre kilometres kilometer kilometers كيلومتر كيلومترا كيلومترات كلم
m m metre metres meter meters متر مترا امتار مترين متران
m2 m2
m3 m3
cm cm centimetre centimetres centimeter centimeters سنتيمتر سنتيمترا سنتيمترات سنتمتر
mm mm millimetre millimetres
kg kg kilo kilos kilogramme kilogrammes kilogram kilograms كيلوغرام كيلوغراما كيلوغرامات كلغ كغ كيلو
g g gramme grammes gram grams غرام غراما غرامات
l l litre litres liter liters لتر لترا لترات ليتر
t tonne tonnes ton tons طن طنا اطنان
ha ha hectare hectares هكتار هكتارا هكتارات
degree degre degres degree degrees ° °c درجه درجات درجتين درجتان
kwh kwh
db db decibels decibel ديسيبل
mb mo mb megaoctets megabytes
gb go gb gigaoctets gigabytes
""")

_PERIODS = _table("""
hour heure hour ساعه
day jour journee day يوم
week semaine week اسبوع
month mois month شهر
quarter trimestre quarter
season saison season فصل
year an annee year سنه عام
""")
_ADVERBS = _table("""
day quotidien quotidienne quotidiens quotidiennes quotidiennement journalier journaliere journaliers journalieres daily
day يوميا يومي يوميه اليومي اليوميه
week hebdomadaire hebdomadaires weekly اسبوعيا اسبوعي اسبوعيه الاسبوعي الاسبوعيه
month mensuel mensuelle mensuels mensuelles mensuellement monthly شهريا شهري شهريه الشهري الشهريه
quarter trimestriel trimestrielle trimestriels trimestrielles quarterly
year annuel annuelle annuels annuelles annuellement annual annually yearly سنويا سنوي سنويه السنوي السنويه
""")
_RATE = re.compile(
    r"(?<!\w)(?:(?:par|per|chaque|each|every|tous les|toutes les|"
    r"(?<!than )(?<!within )(?<!for )(?<!over )(?<!after )an?|for each|pour chaque|عن كل|"
    r"كل|في ال|لل|بال)\s?(?P<period>"
    + "|".join(sorted(_PERIODS, key=len, reverse=True))
    + r")s?|(?P<adverb>"
    + "|".join(sorted(_ADVERBS, key=len, reverse=True))
    + r"))(?!\w)"
)


def rates(text: str) -> frozenset[str]:
    """The periods by which the folded text counts: "par mois" and "mensuel" are `month`, "once a year" is `year`.

    >>> sorted(rates("18 € par mois, une fois par an")), sorted(rates("a daily allowance"))
    (['month', 'year'], ['day'])
    """
    return frozenset(
        _PERIODS[match["period"]] if match["period"] else _ADVERBS[match["adverb"]] for match in _RATE.finditer(text)
    )
