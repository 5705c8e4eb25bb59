"""From a follow-up question to one that stands alone: "Et en 2023 ?" cannot be searched.

A question that stands alone is left as it is. Which words are missing, and where they are taken from, is decided by rules that
need no model: a fragment ("Et pour les contractuels ?") completes the question before it; a question with a pronoun or hardly any
word of its own ("Qui décide ?") is given the subject of the one before. What is taken is always shown to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.grounding.folding import folded
from assistant.grounding.numerals import numerals
from assistant.language import detect_language
from assistant.remarks import is_remark

_SHORT_CHARS = 40
"""A question this short in Latin letters says too little of its language; the one before says more."""
_MOST_TOPIC_WORDS = 9
_MOST_WORDS_OF_A_LEANING_QUESTION = 3
"""Subject words up to which a pronoun is taken to stand for something outside the question."""
_MOST_WORDS_ALREADY_SAID = 2
_STEM_LETTERS = 5
_MOST_CHARS = 400
"""A longer question says enough by itself."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question that was asked before, and what was answered."""

    question: str
    searched: str
    """The standalone question that was searched for it."""
    answer: str = ""
    language: str = ""
    """Of the answer; empty when there was none."""
    label: str = "public"
    """Canonical label of the answer."""


@dataclass(frozen=True, slots=True)
class Standalone:
    """What is searched for a question, in which language, and whether that is other than what was asked."""

    question: str
    language: str
    rewritten: bool
    by_model: bool = False
    """Its words may be those of the answers before; rules take them from the question before alone."""


def standalone(question: str, history: Sequence[Exchange], *, language: str | None = None) -> Standalone:
    """The question as it can be searched without the `history` (oldest first).

    >>> before = Exchange("", "Combien de jours de congé pour les titulaires ?", language="fr")
    >>> standalone("Et pour les contractuels ?", [before]).question
    'Combien de jours de congé pour les contractuels ?'
    """
    question = " ".join(question.split())
    spoken = language or _spoken(question, history)
    before = history[-1].searched if history else ""
    if not before or not question or spoken not in _RULES or is_remark(question):
        return Standalone(question, spoken, rewritten=False)
    rules = _RULES[spoken]
    meant = rules.meant(question)
    rest, opened = (meant, True) if meant else rules.without_opening(question)
    former = _RULES.get(history[-1].language, rules)
    is_fragment = rules.is_fragment(rest, opened=opened)
    if is_fragment and (former is rules or not rules.subject_words(rest)):
        made = rules.completed(before, rest)
    elif is_fragment or (opened and not meant) or rules.leans_on_what_was_said(rest, history[-1]):
        made = rules.with_subject(rest, former, before)
    else:
        made = rest if meant else question
    if len(made) > _MOST_CHARS:
        made = question
    return Standalone(made, spoken, rewritten=made != question)


def new_words(text: str, heard: str, language: str) -> list[str]:
    """The subject words of a text that stand nowhere in what was heard, whatever their endings."""
    known = {_stem(_plain(word)) for word in _WORDS.findall(heard)}
    return [word for word in _RULES[language].subject_words(text) if _stem(_plain(word)) not in known]


def lacking_words(text: str, question: str, language: str) -> list[str]:
    """The subject words of a question that are not in the text, whatever their endings."""
    rules = _RULES[language]
    return new_words(rules.meant(question) or rules.without_opening(question)[0], text, language)


def _spoken(question: str, history: Sequence[Exchange]) -> str:
    former = history[-1].language if history else ""
    found = detect_language(question, default=former)
    if found == "ar" or former not in ("fr", "en") or len(question) > _SHORT_CHARS:
        return found
    heard = [each.speaks(question) for each in (_RULES[found], _RULES[former])]
    if not any(heard):
        heard = [each.begins(question) for each in (_RULES[found], _RULES[former])]
    return found if heard == [True, False] else former


@dataclass(frozen=True, slots=True)
class _Rules:
    """How one language asks on. Patterns are matched in the plain form of a text: `_plain`."""

    corrects: re.Pattern[str]
    """What says that something else was meant: "Non, je parlais de", "No, I meant", "لا، أقصد"."""
    opening: re.Pattern[str]
    """What opens a follow-up and says nothing: "Et", "What about", "وماذا عن"."""
    asks: re.Pattern[str]
    """A word that makes a clause a question of its own."""
    leans: re.Pattern[str]
    """A pronoun or the like that stands for something said before."""
    prepositions: re.Pattern[str]
    """A preposition that opens a part of a sentence which can be exchanged for another."""
    of: re.Pattern[str]
    """What joins a noun to the one before it, with its article: "de la", "of a". Nothing does in Arabic."""
    asks_for_nothing_but_who: re.Pattern[str]
    """The whole of a question that has "who" and what is done, and not with what: "Qui répond", "Who has to pay"."""
    was_asked: re.Pattern[str]
    """The participle by which a question says what is done with its subject: "kept" in "How long are the files kept"."""
    alone_from: int
    """A question with no more subject words than this names no subject. Arabic verbs carry theirs: "متى ترسل؟"."""
    fillers: frozenset[str]
    """Words that say nothing of the subject: articles, question words, and what questions are usually about (délai, prix)."""
    mark: str

    def speaks(self, question: str) -> bool:
        """True when it has a question word of this language, or opens as its follow-ups do."""
        plain = _plain(question)
        return bool(self.asks.search(plain) or self.opening.match(plain) or self.corrects.match(plain))

    def begins(self, question: str) -> bool:
        """True for a question without a verb that begins with a preposition or an article of this language."""
        first = _plain(question).partition(" ")[0].partition("'")[0]
        return bool(self.prepositions.match(_plain(question)) and first) or first in self.fillers

    def meant(self, question: str) -> str:
        """What a correction says in the place of what was said before; empty when it is none."""
        found = self.corrects.match(_plain(question))
        return question[found.end() :].strip(" ,،:") if found else ""

    def without_opening(self, question: str) -> tuple[str, bool]:
        """The question without its opening, and whether it had one."""
        found = self.opening.match(_plain(question))
        rest = question[found.end() :] if found else question
        return (rest.strip(" ,،") or question, bool(found))

    def is_fragment(self, rest: str, *, opened: bool) -> bool:
        """True for a piece of a question: without a question word, after an opening or with a preposition in front."""
        if self.asks.search(_plain(rest)):
            return False
        is_short = len(self.subject_words(rest)) <= _MOST_WORDS_OF_A_LEANING_QUESTION
        return opened or (is_short and any(each.match(_plain(rest)) for each in (self.prepositions, self.of)))

    def leans_on_what_was_said(self, question: str, last: Exchange) -> bool:
        """True when it refers to something outside itself, or names no subject but what the last answer was about."""
        own = [_plain(word) for word in self.subject_words(question)]
        if len(own) <= self.alone_from or self.asks_for_nothing_but_who.fullmatch(_plain(_bare(question))):
            return True
        if len(own) <= _MOST_WORDS_OF_A_LEANING_QUESTION and self.leans.search(_plain(question)):
            return True
        said = {_stem(_plain(word)) for word in _WORDS.findall(f"{last.searched} {last.answer}")}
        return len(own) <= _MOST_WORDS_ALREADY_SAID and all(_stem(word) in said for word in own)

    def completed(self, before: str, fragment: str) -> str:
        """The question before with this piece in the place of one like it, or at its end."""
        base, piece = _bare(before), _bare(fragment)
        renumbered = self._renumbered(base, piece)
        if renumbered:
            return f"{renumbered}{self.mark}"
        exchanged = self._exchanged(base, piece) or self._belonging(base, piece)
        if exchanged:
            return f"{exchanged}{self.mark}"
        opening = self.prepositions.match(_plain(piece))
        years = _YEAR.findall(piece)
        if len(years) == 1:
            base = _YEAR.sub(years[0], base)
        if opening and not _YEAR.search(_plain(piece)):
            same = [m for m in self.prepositions.finditer(_plain(base)) if m.group("kind") == opening.group("kind")]
            if same and self.subject_words(base[: same[-1].start()]):
                return f"{base[: same[-1].start()].rstrip()} {piece}{self.mark}"
        return f"{base} {piece}{self.mark}" if opening else f"{base} – {piece}{self.mark}"

    def _exchanged(self, base: str, piece: str) -> str:
        """`base` with a piece in the place of one that is built like it and has a word of it: "paternity leave"; else empty."""
        new = self._words_of(piece)
        while new and not new[0][1]:
            new = new[1:]
        places = self._words_of(base)
        for first in range(len(places) - len(new), -1, -1):
            old = places[first : first + len(new)]
            shared = [one[0] == two[0] for one, two in zip(old, new, strict=True) if one[1]]
            if any(shared) and not all(shared) and [one[1] for one in old] == [one[1] for one in new]:
                return f"{base[: old[0][2]]}{piece[new[0][2] :]}{base[old[-1][3] :]}"
        return ""

    def _words_of(self, text: str) -> list[tuple[str, bool, int, int]]:
        """The words of a text: in plain letters, whether each says something, where it begins and ends."""
        found = []
        for match in _SINGLE_WORDS.finditer(text):
            word = _plain(match.group())
            says = len(word) > 1 and word not in self.fillers and not _INVERTED.search(word)
            found.append((word, says, match.start(), match.end()))
        return found

    def _belonging(self, base: str, piece: str) -> str:
        """`base` with a piece such as "de maternité" in the place of "de paternité"; empty where nothing stands for it.

        A piece with an article takes the place of one with the very same only, and of what that one is joined to: "du goûter"
        for "du repas de cantine". Otherwise it may belong to what was asked about: "des contractuels" after "du congé".
        """
        opening = self.of.match(_plain(piece))
        if opening is None:
            return ""
        wanted, is_bare = opening.group().strip(), not opening.group("article")
        alike = [
            place
            for place in self.of.finditer(_plain(base))
            if (not place.group("article") if is_bare else place.group().strip() == wanted)
        ]
        if not alike:
            return ""
        end = self._end_of_run(base, alike[-1].end())
        while not is_bare and (joined := self.of.match(_plain(base), end + len(base[end:]) - len(base[end:].lstrip()))):
            end = self._end_of_run(base, joined.end())
        return f"{base[: alike[-1].start()]}{piece}{base[end:]}" if end > alike[-1].end() else ""

    def _end_of_run(self, text: str, start: int) -> int:
        """Where the words that say something end which stand in a row from `start` on."""
        end = start
        for _, says, first, last in self._words_of(text):
            if first >= start:
                if not says:
                    break
                end = last
        return end

    def _renumbered(self, base: str, piece: str) -> str:
        """`base` with the number of a piece that says nothing else new in the place of its own; empty when it has none."""
        numbers = _numbers(piece)
        if len(numbers) != 1:
            return ""
        start, end = numbers[0]
        said = {_plain(word) for word in self.subject_words(base)}
        if any(_plain(word) not in said for word in self.subject_words(f"{piece[:start]} {piece[end:]}")):
            return ""
        is_year = bool(_YEAR.fullmatch(piece[start:end]))
        alike = [place for place in _numbers(base) if bool(_YEAR.fullmatch(base[slice(*place)])) is is_year]
        return f"{base[: alike[-1][0]]}{piece[start:end]}{base[alike[-1][1] :]}" if alike else ""

    def with_subject(self, question: str, others: _Rules, before: str) -> str:
        """The question with the subject words of the one before that it lacks; `others` are the rules of that one's language.

        Where it says itself what is asked, what was asked before is left out: "Who may see them?" after "How long are the
        recordings kept?" is about the recordings, and a passage on how long they are kept would be no answer.
        """
        own = {_plain(word) for word in _WORDS.findall(question)}
        if self.subject_words(question):
            before = others.was_asked.sub(" ", _bare(before))
        lacking = [word for word in others.subject_words(before) if _plain(word) not in own]
        if not lacking:
            return question
        return f"{_bare(question)} ({' '.join(lacking[:_MOST_TOPIC_WORDS])}){self.mark}"

    def subject_words(self, text: str) -> list[str]:
        """The words of a text that say what it is about, in its order, once each."""
        found: dict[str, str] = {}
        for written in _WORDS.findall(text):
            word = _INVERTED.sub("", written)
            plain = _plain(word)
            bare = plain.rpartition("'")[2]
            if len(bare) > 1 and bare not in self.fillers and plain not in self.fillers:
                found.setdefault(bare, word)
        return list(found.values())


_WORDS = re.compile(r"[\w'’-]+")
_SINGLE_WORDS = re.compile(r"\w+['’]|[\w-]+")
"""As `_WORDS`, with what is elided apart: "d'adoption" is two."""
_INVERTED = re.compile(r"-(?:t-)?(?:il|elle|on|ils|elles|je|nous|vous|ce)$")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_NUMBER = re.compile(r"\d+(?:[\s\u00a0\u202f]\d{3}(?!\d))*(?:[.,]\d+)?")
_CLITIC = re.compile(r"^(?:[وف]?(?:بال|كال|لل|ال)|[وفبل](?=\w{4}))")
_CLOSING = " ?؟!.…\u00a0\u202f"


def _numbers(text: str) -> list[tuple[int, int]]:
    """Where numbers stand, in digits or written out; "un", "one" and ordinals are none here."""
    places = [(match.start(), match.end()) for match in _NUMBER.finditer(text)]
    plain = folded(text)
    for found in numerals(plain.text):
        if not found.in_digits and not found.ordinal and found.value > 1:
            span = plain.span(found.start, found.end)
            places.append((span.start, span.end))
    return sorted(places)


def _bare(question: str) -> str:
    return question.strip(_CLOSING)


def _plain(text: str) -> str:
    """Small letters and plain apostrophes, letter by letter, so that places are those of the text."""
    return "".join(_LETTERS.get(letter, letter) for letter in text.lower()) if len(text.lower()) == len(text) else text


_LETTERS = {"’": "'", "أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي"}


def _stem(word: str) -> str:
    bare = _CLITIC.sub("", word.rpartition("'")[2])
    return bare[:_STEM_LETTERS]


def _words(text: str) -> frozenset[str]:
    return frozenset(_plain(word) for word in text.split())


_FRENCH = _Rules(
    corrects=re.compile(
        r"(?:(?:non|pardon|désolée?|enfin|en fait|excuse(?:z|s)?[- ]moi)\b[ ,.!:]*)*"
        r"(?:je (?:parlais|parle|demandais|pensais|voulais|veux|faisais|fais)(?! pas)"
        r"(?: (?:dire|parler|savoir|référence|bien sûr|bien|plutôt))*(?: (?:de |d'|du |des |à |aux? )|\b[ ,:]*)|"
        r"il s'agi(?:t|ssait) (?:de |d'|du |des ))(?!pas\b)|"
        r"(?:non|pardon)\b[ ,.!:]+(?:plutôt )?(?!pas\b)(?=\S)|plutôt (?=\S)"
    ),
    opening=re.compile(
        r"(?:(?:et|mais|alors|sinon|ok|merci|d'accord|bien)\b[ ,]*)+(?:sinon\b|alors\b)?[ ,]*"
        r"(?:qu'en est-il |quid |même question |idem )?|"
        r"qu'en est-il (?:pour )?|quid |même question |idem |et si |au sujet |concernant |s'agissant "
    ),
    asks=re.compile(
        r"\b(?:combien|quand|qui|que|quoi|quel(?:le)?s?|comment|où|pourquoi|lequel|laquelle|lesquel(?:le)?s|est-ce|"
        r"qu'|peut-on|faut-il|doit-on|[\w']+-(?:t-)?(?:il|elle|on|ils|elles|je|nous|vous|ce))\b"
    ),
    leans=re.compile(
        # A verb turned round with a pronoun, and no noun before it: "À combien s'élève-t-il ?", not "L'état doit-il être …".
        r"^(?:(?!\b(?:les?|la|une?|des|mon|ma|mes|notre|votre|ce|cet|cette|ces|chaque|tout)\b|\bl')[^-])*(?<!\by )"
        r"\b(?!passe-|faut-|agit-|suffi|exist|convient-)\w+-(?:t-)?(?:ils?|elles?)\b|"
        # "Qui la calcule ?", "Qui peut les consulter ?", "Où les envoyer ?"; neither "Comment le maire …" nor "Que doit le …".
        r"\bqui (?:n'|ne )?(?:l(?:e |a |es |ui |eur )|l')[\w']+(?: \w+é\w*)?\W*$|"
        r"\b(?:qui|peut-on|doit-on|faut-il|où|comment|quand) (?:(?:peut|peuvent|doit|doivent|va|vont|veut) )?"
        r"(?:l(?:e |a |es |ui |eur )|l'|en )\w+(?:er|ir|oir|[dtvu]re|ire)(?<!aire)\W*$|"
        r"\b(?:lequel|laquelle|lesquels|lesquelles)\b|"
        r"\b(?:cela|ça|ceci|celui-ci|celle-ci|ceux-ci|celles-ci|celui-là|celle-là|ceux-là|celles-là|ce dernier|cette dernière|"
        r"(?<![-'])(?:il|elle|ils|elles)(?! (?:y a|faut|est possible|existe|s'agit))|qu'(?:il|elle)s?(?! y a)|"
        r"(?<=-(?:on|il|je) )l(?:e |a |es |')(?=\w+(?:er|ir|re|oir)\b)|dessus|dedans|leurs?|"
        r"(?<!-on )(?:son|sa|ses)|y|ce|cet|cette|ces)\b"
        r"(?! (?:cas où|que|qui))"
    ),
    prepositions=re.compile(
        r"(?:^|(?<=\s))(?P<kind>pour|dans|en|à|au|aux|chez|avec|sans|après|avant|pendant|sur|par|depuis|sous|si)\b"
    ),
    of=re.compile(r"(?<![\w'])(?:(?P<article>du |des |de la |de l'|d'une? )|d'|de )"),
    fillers=_words(
        "le la les l un une des du de d au aux à en et ou où y ce cet cette ces se sa son ses leur leurs mon ma mes notre "
        "nos votre vos je tu il elle on nous vous ils elles qui que quoi quel quelle quels quelles combien comment "
        "pourquoi quand est est-ce sont a ai ont être avoir faut-il peut-on doit-on peut doit faut dois peuvent doivent "
        "pour par dans sur sous avec sans chez vers entre depuis pendant ne pas plus si même cas cela ça ceci fait faire "
        "faite dure durent coûte coûtent délai délais durée montant montants prix tarif tarifs coût coûts somme date "
        "dates heure heures jour jours mois an ans semaine semaines année années temps conditions condition pièces pièce "
        "documents document formulaire formulaires dossier procédure démarche démarches limite plafond taux nombre "
        "adresse numéro maximum minimum exceptions exception est-il est-elle sont-ils sont-elles dure-t-il dure-t-elle "
        "coûte-t-il coûte-t-elle cela-t-il aussi encore alors donc qu qu'est-ce valable obligatoire possible gratuit "
        "gratuite payant payante décide décident demander obtenir fournir payer adresser monte passe sous fois répondre "
        "réponse recours refus silence autorise signe a-t-il a-t-on y-a-t-il celui-ci celle-ci"
    ),
    asks_for_nothing_but_who=re.compile(
        r"(?:(?:par|à|de|pour|avec|chez) )?qui (?:ne |n')?(?:(?:peut|peuvent|doit|doivent|va|vont|veut) )?(?!est\b|sont\b)[\w'-]+"
    ),
    was_asked=re.compile(r"\b(?:est|sont)(?:-(?:ils?|elles?))?\s[\w'’-]*(?:é|i|u|it|is|ert)e?s?\b", re.IGNORECASE),
    alone_from=0,
    mark=" ?",
)
_ENGLISH = _Rules(
    corrects=re.compile(
        r"(?:(?:no|sorry|actually|well)\b[ ,.!:]*)*i (?:meant?|was (?:talking|asking|thinking) (?:about|of)|"
        r"am (?:talking|asking) about|wanted to (?:say|know))(?: rather)?\b[ ,:]*(?!not\b)(?=\S)|"
        r"(?:no|sorry)\b[ ,.!:]+(?:rather )?(?!not\b)(?=\S)|rather (?=\S)"
    ),
    opening=re.compile(
        r"(?:(?:and|but|so|then|ok|okay|thanks|thank you|well|also)\b[ ,]*)+(?:what about |how about |what if |same for |if )?|"
        r"(?:what|how) about |what if |(?:the )?same (?:question )?for |regarding |concerning "
    ),
    asks=re.compile(
        r"\b(?:what|how|who|whom|whose|when|where|why|which|is|are|was|were|can|could|does|do|did|must|should|shall|will|may|has|"
        r"have)\b"
    ),
    leans=re.compile(
        r"^(?:in|at|from|by|to|with|for|on|until) (?:what|which) \w+\W*$|"
        r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|she|his|her|him|(?<!is )(?<!are )there|one|ones|such)\b"
    ),
    prepositions=re.compile(
        r"(?:^|(?<=\s))(?P<kind>for|in|at|with|without|after|before|during|on|by|from|since|under|if|outside|within)\b"
    ),
    of=re.compile(r"\bof (?:an? |the |their |his |her )?(?P<article>(?!))?"),
    fillers=_words(
        "the a an of to in on at for by with from and or but if is are was were be been do does did done can could may "
        "might must should shall will would has have had what how who whom whose when where why which many much long "
        "often soon far it its they them their this that these those he she his her him there one ones such i me my we "
        "our you your not no any some all also then than as so about into out up per cost costs fee fees price prices "
        "amount charge deadline time limit period date dates day days week weeks month months year years hour hours "
        "duration number address form forms document documents condition conditions procedure maximum minimum rate "
        "exception exceptions same case happens happen apply applies need needed required require take takes pay paid get "
        "decide decides allowed possible free answer appeal refused refusal sign signs valid last lasts open opens close "
        "closes within quickly fast late early"
    ),
    asks_for_nothing_but_who=re.compile(
        r"(?:by |to |for |with )?whom? (?:(?:can|may|must|should|will|has to|have to) )?(?!is\b|are\b|was\b)[\w'-]+"
    ),
    was_asked=re.compile(
        r"(?<=\w )(?:\w{3,}ed|kept|sent|paid|made|held|given|taken|found|set|written|drawn|shown|sold|bought|built|done)$",
        re.IGNORECASE,
    ),
    alone_from=0,
    mark="?",
)
_ARABIC = _Rules(
    corrects=re.compile(
        r"(?:(?:لا|عفوا|معذرة)\s*[،,.]*\s*)*(?:انا )?(?:كنت )?"
        r"(?:(?:اتحدث|اسال|اتكلم) عن|اقصد|اعني|قصدت)\s*[،,:]*\s*|"
        r"(?:لا|عفوا)\s*[،,.]+\s*(?:بل )?(?=\S)|بل (?=\S)"
    ),
    opening=re.compile(
        r"(?:و|ف)?(?:ماذا عن|ماذا بشان|ماذا بخصوص|ماذا لو|بالنسبه ا?لي?|بخصوص|نفس السؤال)\s*|طيب\s+|حسنا\s+|شكرا\s*[،,]?\s*|"
        r"و(?=(?:هل|كم|ما|ماذا|متي|اين|كيف|من|لماذا|اي|في|عند|اذا|لل|مع|بعد|قبل|بدون|خلال|خارج|داخل)\b)|و(?=ال\w|لل\w)|"
        r"و(?!ثيق|ثائق|زار|زير|قت|سيط|حد|ضع|لاد|فا|رق|اجب|صل|ظيف|ظائف|كال|لاي|رث|صي|جب|جه)(?=\w{3,})"
    ),
    asks=re.compile(r"(?<!\w)(?:هل|كم|ما|ماذا|متي|اين|كيف|من(?= (?:ي|ت|ال|هو|هي))|لماذا|اي|بكم|لمن|الي متي)(?!\w)"),
    leans=re.compile(
        r"(?<!\w)(?:(?:هو|هي|هم|هما)(?=\s*[؟?]?$)|ذلك|تلك|هذا|هذه|هولاء|[وفبلك]?(?:ذلك|هذا|هذه|تلك)|له|لها|لهم|فيه|فيها|عنه|عنها|عليه|عليها|"
        r"منه|منها|به|بها|اليه|اليها|(?!(?:[وفب]?ال|لل|اتجاه|منتزه|انتباه|مياه))\w{2,}(?:ها|هما|هم|[تديطرسلنبمفعق]ه))(?!\w)"
    ),
    prepositions=re.compile(
        r"(?:^|(?<=\s))(?P<kind>في|عند|مع|بعد|قبل|بدون|خلال|اذا|خارج|داخل|منذ|عن|علي|(?=لل\w)|لدي)(?=\s|ل)"
    ),
    of=re.compile(r"(?!)(?P<article>)"),
    fillers=_words(
        "في من على الى إلى عن مع عند بعد قبل بدون خلال أو و ثم هل كم ما ماذا متى أين كيف لماذا أي من هو هي هم ذلك تلك هذا "
        "هذه له لها لهم فيه فيها عنه عنها عليه عليها منه منها به بها إليه إليها لدى أن إن إذا لا لم لن قد كل بعض غير التي "
        "الذي الذين يجب يمكن يجوز كان كانت تكون يكون مدة المدة مدته مدتها أجل الأجل أجله ثمن الثمن ثمنه ثمنها سعر السعر "
        "مبلغ المبلغ رسم الرسم رسوم الرسوم تكلفة التكلفة تكلفته تكلفتها تكلف يكلف تاريخ التاريخ ساعة يوم أيام يوما شهر "
        "أشهر سنة سنوات عدد شروط الشروط شروطه شروطها وثائق الوثائق استمارة طلب الطلب طلبه تقديمه تقديمها الحصول عليه حد "
        "الحد الأقصى الأدنى رقم عنوان يقرر يوقع يدوم تدوم الاستثناءات استثناءات استثناء كذلك أيضا مجانا مجاني ممن عمن لمن "
        "بم فيم مرة"
    ),
    asks_for_nothing_but_who=re.compile(r"(?!)"),  # such a question has one subject word: `alone_from`
    was_asked=re.compile(r"(?:مدة|أجل|كيفية|مكان|موعد|تاريخ) ال\w+(?= بال)"),
    alone_from=1,
    mark="؟",
)
_RULES = {"fr": _FRENCH, "ar": _ARABIC, "en": _ENGLISH}
