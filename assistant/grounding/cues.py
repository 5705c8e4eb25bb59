"""What denies, permits, obliges, limits or bounds in a folded clause, by its words in French, English and Arabic."""

from __future__ import annotations

import re

# "ne … que" restricts and does not deny; a verb of saying between them would make it "ne dit pas que".
_ONLY = re.compile(
    r"(?<!\w)(?:ne\s|n')(?:(?!pas\b|point\b|jamais\b|aucun)[\w']+[\s]+){1,4}?qu(?:e\b|')|"
    r"\b(?:uniquement|seulement|exclusivement|seuls?|seules?|only|solely|exclusively)\b|(?<!\w)(?:فقط|حصرا|"
    r"لا غير|وحده|وحدها|انما)(?!\w)|"
    r"(?<!\w)[وف]?(?:لا|لم|ليس\w*)\s(?:\w+\s){1,6}?الا(?!\w)"
)
_DENIALS = re.compile(
    r"(?<!\w)n'(?=\w)|(?<!\w)(?:ne|no|not|cannot|neither|nor|never|none|nobody|nothing|without|sans|jamais|"
    r"nulle?|\w+n't|"
    r"hardly|scarcely|barely|nowhere|rarely|seldom|rarement|a peine(?! d[e'u])|[وف]?(?:بالكاد|نادرا|قلما)|"
    r"dispense\w*|non)(?!\w)|(?<=\w)n't\b|"
    r"(?<!\w)(?:[وف]?(?:لا|لم|لن|ليس|ليست|ليسوا|دون|بدون|عدم|بلا|من غير|بغير|بعدم|الا(?= [يت])))(?!\w)|"
    r"(?<!\w)[وفب]?(?:دون|عدم)(?!\w)|"
    r"(?<!\w)(?:aucune?)(?!\w)|(?<!\w)[وفب]?غير(?=\s(?:م|قا|صا|كا|نا|جا|لا|وا|ذ)\w{2,})"
)
_A_NUMBER = (
    "(?:une?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingt|trente|quarante|cinquante|"
    "soixante|quatre-vingt|cent|mille)(?!\\w)|(?:la |le )?(?:moitie|tiers|quart|double|triple)"
)
_BENIGN = re.compile(
    r"(?<!\w)(?:(?:even|meme|حتي|ولو) (?:without|sans|بدون|دون)|"
    r"دون (?:سن |ال)?(?:\d|ثالث|رابع|خامس|سادس|سابع|ثامن|تاسع|عاشر|حادي|ثاني|عشر|ثلاث|اربع|خمس|ست|سبع|ثمان|تسع)\w*)(?!\w)|"
    rf"(?<!\w)(?:ne |n'|not |no |cannot |لا |لم |الا )[^,;.،؛]{{0,40}}?(?<!\w)"
    rf"(?:(?:pas|jamais) plus d[e'u](?!e)|plus d(?:e |')(?=\d|{_A_NUMBER})|more than|longer than|اكثر من)|"
    r"(?<!\w)(?:sans (?:exceder|depasser)|without exceeding|دون ان [يت]تجاوز)|"
    r"(?<!\w)(?:(?:ne |n')(?:depass|exced)\w+ pas|(?:at )?no (?:charge|cost)|nothing (?:for|to)|and nothing|"
    r"(?:sans|without) (?:frais|charge|cost|fee|interruption|delai|delay)|"
    r"(?:بلا|دون|بدون) (?:مقابل|رسوم|رسم|انقطاع|زياده|تاخير|اجل)|لا بد|avant qu(?:e |"
    r"')[^,;.]{0,40}?(?<!\w)n(?:e |'))|"
    r"(?<!\w)(?:costs? nothing|nothing to pay|ne coute rien|[وف]?الا اذا|ما لم|ان لم|وان لم|ولو لم|no (?:more|"
    r"less|later|longer) than|not (?:more|less) than|no\. ?\d|not only|non seulement|whether or not|"
    r"sans (?:prejudice|doute)|"
    r"without prejudice|may not exceed|must not exceed|cannot exceed|shall not exceed|(?:ne|n')\s?(?:peut|"
    r"peuvent|doit|doivent|saurait|pourra)?\s?(?:pas )?"
    r"(?:exceder|depasser|etre (?:inferieur|superieur)\w*)|ne soit jamais inferieur\w*|n'est pas inferieur\w*|"
    r"(?:لا|الا|ولا)\s(?:ي|ت)(?:تجاوز|تعدي|زيد|قل)\w*|"
    r"لا سيما|بلا شك|non[- ]titulaires?|non[- ]meuble\w*|sans que)(?!\w)"
)
_LEXICAL = re.compile(
    r"(?<!\w)(?:un(?:justified|used|authorised|paid|able|occupied|attended)|in(?:utilise|justifie|autorise|"
    r"occupe)\w*|non-\w+|kept? (?:off|out)|off limits|sinon|a defaut|"
    r"otherwise|failing which|والا|interdit\w*|interdire|interdiction|"
    r"prohibe\w*|exclu|exclus|exclue\w*|exclut|refuse|refuses|"
    r"refusee?s?|rejete\w*|defendu\w*|impossible|"
    r"forbidden|prohibited|banned|excluded|refused|rejected|barred|impossible|ineligible|unable|fails?|lacks?|"
    r"dispense\w*|exempt\w*|"
    r"[وفبل]?(?:ال)?(?:ممنوع\w*|محظور\w*|[يت]منع|[يت]حظر|منع|حظر|[يت]رفض|مرفوض\w*|مستثن\w*|[يت]ستثن\w*|"
    r"[يت]عف[يى]\w*|معف\w*))(?!\w)"
)

_MAY = re.compile(
    r"(?<!\w)(?:peut|peuvent|pourra|pourront|puisse|puissent|peux|pouvez|pouvons|possible|possibilite|"
    r"facultati\w+|autorise\w*|permis\w*|permet\w*|"
    r"a le droit|ont le droit|a la faculte|libre\w*|loisible|admis\w*|tolere\w*|"
    r"may|can|could|might|allowed|permitted|entitled|optional\w*|possible|free to|right to|able to|"
    r"if they wish|if you wish|permits?|allows?|"
    r"[وفل]?(?:يجوز|تجوز|يمكن|تمكن|يحق|جاز|جائز|بامكان\w*|امكاني\w*|يسمح|تسمح|مسموح|يرخص|اختياري\w*|"
    r"لكل \w+ ان|له ان|لها ان|لهم ان))(?!\w)"
)
_MUST = re.compile(
    r"(?<!\w)(?:doit|doivent|devra|devront|devez|devons|faut|faudra|obligatoire\w*|obligation|obliges?|"
    r"obligee?s?|tenue?s? d|imperati\w+|impose\w*|requis\w*|"
    r"exige\w*|necessaire\w*|contraint\w*|"
    r"must|shall|should|have to|has to|required|requires?|compulsory|mandatory|obligatory|obliged|needs? to|"
    r"expected to|bound to|obligation|"
    r"[وفل]?(?:يجب|تجب|يتعين|تتعين|يلزم|تلزم|ملزم\w*|لازم\w*|الزامي\w*|اجباري\w*|ينبغي|لا بد|يتوجب|واجب|"
    r"وجوب\w*|يشترط|مطالب\w*))(?!\w)"
)

_NOT_WITHOUT = re.compile(
    r"(?<!\w)(?:ne|not|cannot|no)(?!\w)[^,;.]{0,40}?(?<!\w)(?:sans|without|se passer|do without)(?!\w)|"
    r"(?<!\w)n'[^,;.]{0,40}?(?<!\w)(?:sans|se passer)(?!\w)|"
    r"(?<!\w)[وف]?(?:لا|لم|لن)(?!\w)[^،؛.]{0,40}?(?<!\w)(?:دون|بدون)(?!\w)"
)
"""Two denials that demand: "ne peut reprendre sans visite"."""
_FREE = re.compile(
    r"(?<!not )(?<!pas )(?<!غير )(?<!ليس )(?<!ليست )(?<!\w)(?:free|gratis|(?:costs?|pays?|paid|charged?) nothing|nothing to pay|"
    r"(?:at )?no (?:cost|charge|fee)|(?:not|never) charged|without (?:charge|fee|payment)|gratuit\w*|sans (?:frais|payer)|"
    r"(?:ne |n'en )(?:coute\w*|paie\w*|paye\w*|verse\w*) rien|(?:n'est|ne sont) pas (?:facture|paye)\w*|"
    r"(?:ال|ب|بال)?مجان\w*|(?:بلا|دون|بدون) (?:مقابل|رسوم|رسم)|[وف]?لا [يت](?:كلف|دفع|ؤدي)\w*(?=[^.،؛]{0,30}شي)|"
    r"دون ان [يت]دفع\w* شي\w*)"
    r"(?!\w)"
)
_NEED_NOT = re.compile(
    r"(?<!\w)(?:(?:not|no longer|never) (?:\w+ )?(?:required|compulsory|mandatory|obligatory|obliged|"
    r"necessary|have to|need\w*)|need not|n'(?:a|ont|avez) pas a(?= )|"
    r"(?:n'est|ne sont|n'etait) (?:pas|plus|nullement|jamais) (?:\w+ )?(?:obligatoires?|oblige\w*|"
    r"necessaires?|requise?s?|tenue?s?|exige\w*|impose\w*)|"
    r"(?:غير|ليس\w*|لا) (?:الزامي\w*|اجباري\w*|واجب\w*|يجب|يلزم|تلزم|يشترط|تشترط|ملزم\w*|ضروري\w*))(?!\w)"
)
_CONDITIONS = re.compile(
    r"(?<!\w)(?P<cue>sauf|excepte|hormis|a l'exception|a moins qu|a condition|sous reserve|s'ils?(?!\w)|"
    r"si(?!\w)|que si|en cas de|des lors qu|pourvu qu|uniquement si|"
    r"lorsqu\w*|quand|a l'exclusion|"
    r"excepted|except|unless|provided|only if|if(?!\w)|subject to|as long as|on condition|in case of|apart from|"
    r"other than|when(?!\w)|"
    r"(?:[وف]?(?:ما لم|بشرط|شريطه|شرط|ما عدا|ماعدا|باستثناء|اذا|ان لم|في حاله|الا اذا|الا بعد|الا))(?!\w))"
)
_EXCEPTIONS = re.compile(
    r"(?<!\w)(?:sauf|excepte|hormis|a l'exception d\w*|a l'exclusion d\w*|hors(?! d)|except(?: for)?|apart from|other than|"
    r"excluding|"
    r"(?<!لا )(?:ما عدا|ماعدا|باستثناء|عدا|سوي))(?!\w)"
)
_EXCEPTED = re.compile(r"(?<!\w)(?:excepted|exceptes?|exceptees?|exclus?|excluded)(?=\W*$)")
_WEAK = ("si", "s'il", "lorsqu", "quand", "en cas", "if", "when", "in case", "اذا", "ان لم", "في حاله", "des lors")
"""These often tell when something happens, and less often limit it."""
_ALWAYS = re.compile(
    r"(?<!\w)(?:meme (?:en cas|si|s'il|sans|pour|lorsqu\w*|quand|apres|avant|au-dela|dans)|quelque\w* (?:soit|"
    r"\w+ qu)|a quelque|"
    r"en toutes circonstances|peu importe|even|whether or not|no matter|at any time|y compris|including|"
    r"بما في ذلك|بما فيها|"
    r"[وف]?(?:ولو|حتي لو|حتي ولو|حتي في حاله|حتي من|حتي اذا|وان لم|سواء)|"
    r"dans tous les cas|en toute circonstance|en tout etat de cause|toujours|systematiquement|"
    r"sans exception|sans condition|quel que soit|quelle que soit|quels que soient|meme sans|"
    r"automatiquement|de plein droit|in all cases|in every case|in any case|always|without exception|whatever|"
    r"at all times|at any (?:hour|moment)|however (?:many|much|long|old|often|large|small)|whoever|all the time|"
    r"a tout moment|a toute heure|n'importe (?:quand|ou|quel\w*|qui)|tout le temps|(?:quel|quelle) qu(?:e|'en) (?:soit|soient)|"
    r"في (?:اي|كل) وقت|في جميع الاوقات|دون اي \w+|بدون اي \w+|"
    r"regardless|even without|unconditionally|automatically|"
    r"في جميع الاحوال|في كل الاحوال|في جميع الحالات|في كل الحالات|في كل حال|دائما|دون استثناء|بدون استثناء|"
    r"مهما|دون شرط|بلا شرط|بدون شرط|تلقائيا|ايا كان\w*|كيفما)(?!\w)"
)
_AT_MOST = re.compile(
    r"(?<!\w)(?:au plus(?! tot)|au maximum|maximum|maxim\w+|plafon\w+|dans (?:la|une) limite|limite\w* a|jusqu'a|at most|up to|"
    r"limited to|within|no later than|[بف]?ي?\s?(?:حدود|كحد اقصي|حد اقصي|علي الاكثر|اقصاه))(?!\w)"
)
_AT_LEAST = re.compile(
    r"(?<!\w)(?:au moins|au minimum|minimum|minim\w+|at least|a partir de|from the age of|علي الاقل|كحد ادني|حد ادني)(?!\w)"
)
_UNDER = re.compile(
    r"(?<!\w)(?:moins d[e'u]|inferieure?s?|under|below|less than|fewer than|shorter than|younger than|later than|"
    r"اقل من|دون|[يت]قل\w*|تحت)(?!\w)"
)
_OVER = re.compile(
    r"(?<!\w)(?:plus d[e'u]|au-dela|superieure?s?|exced\w+|depass\w+|more than|over|above|longer than|larger than|greater than|"
    r"exceed\w*|beyond|اكثر من|[يت]تجاوز\w*|تجاوز\w*|[يت]فوق|[يت]زيد|[يت]تعدي|فوق)(?!\w)"
)
"""Over and under are turned by a denial before them: "ne peut excéder" is at most, "no less than" is at least."""
_TURNS = re.compile(r"(?<!\w)(?:ne|pas|jamais|not|no|never|cannot|لا|لم|لن|الا|ولا|فلا)(?!\w)|(?<!\w)n'")
_AFTER = r"^(?:\W*[^\W\d]+){{0,2}}?\W*(?:{})(?!\w)"
_MOST_AFTER = re.compile(_AFTER.format("au plus|au maximum|maximum|at most|or less|et moins|علي الاكثر|فاقل|كحد اقصي"))
_LEAST_AFTER = re.compile(
    _AFTER.format("au moins|au minimum|minimum|at least|or more|et plus|ou plus|علي الاقل|فاكثر|كحد ادني")
)


def denial_places(text: str) -> list[int]:
    """Where the folded clause denies: negations that go together count once, restrictions and bounds not at all.

    >>> [denial_places(text) for text in ("il n'est pas autorise", "n'est autorise que si", "ne peut exceder cinq jours")]
    [[3], [], []]
    """
    bare = text
    for pattern in (_BENIGN, _NOT_WITHOUT, _ONLY):
        bare = pattern.sub(lambda match: " " * len(match.group()), bare)
    found = [(match.start(), match.group()) for match in _DENIALS.finditer(bare)]
    if any(word in ("ne", "n'") for _, word in found):
        found = [(place, word) for place, word in found if not word.startswith(("aucun", "jamais", "nul"))]
    return [place for place, _ in found]


def without_price(text: str) -> str:
    """The folded text with blanks for what says that nothing is to be paid, which some say by a denial and others not."""
    return _FREE.sub(lambda match: " " * len(match.group()), text)


def free_of_charge(text: str) -> bool:
    """True when the folded text says that nothing is to be paid."""
    return bool(_FREE.search(text))


def lexical_denials(text: str) -> list[str]:
    """Words of the folded clause that deny by themselves: interdit, refused, ممنوع."""
    return _LEXICAL.findall(text)


def restricts(text: str) -> bool:
    """True when the folded clause says "only"."""
    return bool(_ONLY.search(text))


def permits(text: str) -> bool:
    """True when the folded clause permits something."""
    return bool(_MAY.search(_NOT_WITHOUT.sub(" ", text)) or _NEED_NOT.search(text))


def obliges(text: str) -> bool:
    """True when the folded clause demands something."""
    return bool(_MUST.search(_NEED_NOT.sub(" ", text)) or _NOT_WITHOUT.search(text))


def moods(text: str) -> list[tuple[int, bool]]:
    """Where in the folded text something is permitted or demanded, and whether it is demanded; both ends of "need not" permit."""
    bare = _NOT_WITHOUT.sub(lambda match: " " * len(match.group()), text)
    found = [(match.end(), False) for match in (*_NEED_NOT.finditer(bare), *_MAY.finditer(bare))]
    bare = _NEED_NOT.sub(lambda match: " " * len(match.group()), bare)
    return sorted(found + [(match.end(), True) for match in _MUST.finditer(bare)])


def says_always(text: str) -> bool:
    """True when the folded clause says that it holds in every case."""
    return bool(_ALWAYS.search(text))


def exceptions(text: str) -> list[tuple[int, int]]:
    """Where in the folded sentence what is excepted stands: (start, end).

    >>> text = "dogs are not allowed, guide dogs excepted"
    >>> [text[start:end] for start, end in exceptions(text)]
    [' guide dogs ']
    """
    found = []
    for match in _EXCEPTIONS.finditer(text):
        end = re.search(r"[;.؛:]|$", text[match.end() :])
        found.append((match.end(), match.end() + (end.start() if end else 0)))
    for match in _EXCEPTED.finditer(text.rstrip(" .\n")):
        found.append((max(text.rfind(mark, 0, match.start()) for mark in ",،;:") + 1, match.start()))
    return found


def conditions(text: str) -> list[tuple[int, bool]]:
    """Where in the folded text a condition or an exception begins, and whether its cue is a strong one."""
    return [(match.start(), not match["cue"].lstrip("وف").startswith(_WEAK)) for match in _CONDITIONS.finditer(text)]


def bound(before: str, after: str) -> int:
    """-1 when the figure between the two pieces of folded text is an upper bound, 1 for a lower one, 0 for neither or both.

    >>> bound("ne peut exceder ", " jours"), bound("est de ", " jours au moins"), bound("no less than ", "")
    (-1, 1, 1)
    """
    upper = bool(_AT_MOST.search(before) or _MOST_AFTER.search(after))
    lower = bool(_AT_LEAST.search(before) or _LEAST_AFTER.search(after))
    for pattern, direction in ((_UNDER, -1), (_OVER, 1)):
        for match in pattern.finditer(before):
            turned = -direction if _TURNS.search(before[: match.start()]) else direction
            upper, lower = upper or turned < 0, lower or turned > 0
    return int(lower) - int(upper)
