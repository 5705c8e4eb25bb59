"""What speaks against one piece of a claim on the sentences that cover it best: as reasons, and as numbers to weigh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.grounding import alignment as aligning
from assistant.grounding import cues
from assistant.grounding.agency import agency
from assistant.grounding.contrasts import contrasts, swapped_roles
from assistant.grounding.denial import Denial, denied
from assistant.grounding.figure_checks import disagreements, own_figures
from assistant.grounding.figures import same_figure
from assistant.grounding.matching import Comparison, Fit
from assistant.grounding.measures import UNITS_OF_TIME, rates
from assistant.grounding.reading import Reading, Token

_MISPLACED_MOST = 1.0
_CLAUSE_SHARE = 0.2
"""The share of what is found that a clause of the passage must hold to be one that the claim speaks of."""


@dataclass(slots=True)
class Findings:
    """About one piece of a claim. `signs` are what is weighed; each is 0 when nothing speaks against the piece."""

    fit: Fit
    clauses: tuple[int, ...] = ()
    """Clauses of the passage that the claim speaks of."""
    vetoes: list[str] = field(default_factory=list)
    """Reasons that no weighing can overrule."""
    missing: list[int] = field(default_factory=list)
    """Words of the claim found neither in the sentences nor in what they refer back to."""
    signs: dict[str, float] = field(default_factory=dict)


def findings(comparison: Comparison, fit: Fit) -> Findings:
    """Everything that is known about one piece."""
    found = Findings(fit)
    passage = comparison.passages[fit.passage]
    found.clauses = _clauses(comparison, fit, passage)
    found.missing = [
        word
        for word in comparison.said
        if fit.first <= word < fit.last and word not in fit.pairs and word not in fit.context
    ]
    found.vetoes += disagreements(comparison, fit, passage)
    _coverage(comparison, found)
    _places(comparison, found)
    _denials(comparison, found, passage)
    _moods(comparison, found, passage)
    _conditions(comparison, found, passage)
    _rates(comparison, found, passage)
    if found.signs["contrasts"]:
        found.vetoes.append("condition")
    if swapped_roles(comparison, fit):
        found.vetoes.append("subject")
    return found


def _clauses(comparison: Comparison, fit: Fit, passage: Reading) -> tuple[int, ...]:
    """The clauses that hold a good part of what is found, or a word of weight or a figure that no other clause holds."""
    weights: dict[int, float] = {}
    needed: set[int] = set()
    for word, places in fit.pairs.items():
        weight = comparison.claim.tokens[word].weight
        holding = {passage.tokens[place].clause for place in places}
        if len(holding) == 1 and weight >= 1 and comparison.same_word(fit, word):
            needed |= holding
        for clause in holding:
            weights[clause] = weights.get(clause, 0.0) + weight
    for figure in own_figures(comparison, fit):
        stating = {
            passage.clause_of(other.start)
            for other in passage.figures
            if same_figure(figure, other) and passage.sentence_of(other.start) in fit.sentences
        }
        for clause in stating:
            weights[clause] = weights.get(clause, 0.0) + 1
        if len(stating) == 1:
            needed |= stating
    enough = _CLAUSE_SHARE * sum(weights.values())
    return tuple(sorted(needed.union(clause for clause, weight in weights.items() if weight >= enough)))


# --- words -------------------------------------------------------------------------------------------------------------------


def _coverage(comparison: Comparison, found: Findings) -> None:
    claim, fit, signs = comparison.claim, found.fit, found.signs
    tokens = [claim.tokens[word] for word in found.missing]
    weight = sum(token.weight for token in tokens)
    signs["missing_share"] = weight / max(fit.total, 1.0)
    signs["missing_most"] = max(0.0, signs["missing_share"] - 0.45)
    signs["missing"] = min(weight, 5.0)
    signs["missing_noun"] = sum(token.weight for token in tokens if token.noun)
    signs["context"] = sum(claim.tokens[word].weight for word in fit.context)
    loose = fit.context - comparison.linked_context(fit)
    signs["loose"] = sum(claim.tokens[word].weight for word in loose)
    signs["elsewhere"] = sum(claim.tokens[word].weight for word in found.missing if comparison.somewhere(word))
    signs["role"] = sum(1.0 for token in tokens if token.role)
    names = [word for word in found.missing if claim.tokens[word].name]
    signs["name"] = sum(1.0 for word in names if not comparison.somewhere(word))
    signs["name_elsewhere"] = len(names) - signs["name"]
    _rivals(comparison, found)


def _rivals(comparison: Comparison, found: Findings) -> None:
    """Persons, bodies and names of the claim that are not in the sentences, where these name others that the claim does not."""
    claim, passage = comparison.claim, comparison.passages[found.fit.passage]
    matched = {place for places in found.fit.pairs.values() for place in places}
    others = [
        token for place, token in enumerate(passage.tokens) if token.clause in found.clauses and place not in matched
    ]
    away = [claim.tokens[word] for word in (*found.missing, *found.fit.context)]
    roles = sum(1.0 for token in away if token.role)
    names = sum(1.0 for token in away if token.name)
    mine = {_unit(token) for token in away} - {""}
    its = {_unit(token) for token in others} - {""}
    found.signs["rival_unit"] = float(bool(mine and its and not mine & its))
    found.signs["rival_role"] = min(roles, sum(1.0 for token in others if token.role))
    found.signs["rival_name"] = min(names, sum(1.0 for token in others if token.name))


def _unit(token: Token) -> str:
    """The unit of time that a word names where it counts nothing; empty for none."""
    bare = token.word.removeprefix("و").removeprefix("ال") if len(token.word) > 4 else token.word
    return UNITS_OF_TIME.get(bare, "") if token.figure < 0 and len(bare) > 1 else ""


def _places(comparison: Comparison, found: Findings) -> None:
    pairing = aligning.aligned(comparison, found.fit)
    copied = aligning.copied(pairing)
    _exchanges(comparison, found, aligning.exchanges(pairing))
    anchors = sum(1.0 for at, item in enumerate(pairing.mine) if item.figure >= 0 and pairing.places[at] >= 0)
    anchors += sum(
        max(0.75, comparison.claim.tokens[word].weight)
        for word in found.fit.pairs
        if comparison.same_word(found.fit, word)
    )
    found.signs["anchors"] = anchors
    found.signs["attached"] = aligning.attached(comparison, found.fit, pairing)
    found.signs["other_subject"] = _other_subject(comparison, found, pairing)
    found.signs["misplaced"] = min(_MISPLACED_MOST, aligning.misplaced(comparison, found.fit, pairing))
    found.signs["contrasts"] = float(contrasts(comparison, found.fit, pairing))
    found.signs["figures"] = float(len({item.figure for item in pairing.mine if item.figure >= 0}))
    found.signs["replaced_copied"] = found.signs["replaced"] * copied
    found.signs.update(agency(comparison, found.fit))
    found.signs["missing_copied"] = found.signs["missing"] * copied


def _who(token: Token) -> bool:
    return bool(token.role) or token.name


def _other_subject(comparison: Comparison, found: Findings, pairing: aligning.Alignment) -> float:
    """The weight of what the claim takes from the context where the sentence begins with other words of its own."""
    matched = sorted(place for place in pairing.places if place >= 0)
    if not matched or not found.fit.context:
        return 0.0
    clause = pairing.theirs[matched[0]].clause
    known = {place for places in found.fit.pairs.values() for place in places}
    own = sum(
        item.weight
        for item in pairing.theirs[: matched[0]]
        if item.clause <= clause and item.figure < 0 and item.token not in known
    )
    taken = sum(comparison.claim.tokens[word].weight for word in found.fit.context)
    return min(own, taken)


def _exchanges(comparison: Comparison, found: Findings, exchanged: aligning.Exchanges) -> None:
    signs, context = found.signs, found.fit.context
    words = [item for item in exchanged.replaced if item.figure < 0]
    signs["replaced"] = sum(
        item.weight for item in words if item.token not in context and not comparison.somewhere(item.token)
    )
    signs["replaced_elsewhere"] = sum(
        item.weight for item in words if item.token in context or comparison.somewhere(item.token)
    )
    signs["inserted"] = sum(item.weight for item in exchanged.inserted if item.token not in context)
    tokens = comparison.claim.tokens
    signs["displaced"] = sum(
        item.weight for item in exchanged.displaced if tokens[item.token].noun or tokens[item.token].role
    )
    passage = comparison.passages[found.fit.passage]
    rivals = sum(1.0 for item in exchanged.others if item.token >= 0 and _who(passage.tokens[item.token]))
    signs["displaced_role"] = min(
        rivals, sum(1.0 for item in exchanged.displaced if item.token >= 0 and _who(tokens[item.token]))
    )
    signs["inserted_elsewhere"] = sum(
        item.weight for item in exchanged.inserted if item.figure < 0 and comparison.somewhere(item.token)
    )
    nouns = [item for item in words if comparison.claim.tokens[item.token].noun]
    signs["replaced_noun"] = sum(item.weight for item in nouns)
    signs["inserted_noun"] = sum(
        item.weight for item in exchanged.inserted if item.figure < 0 and comparison.claim.tokens[item.token].noun
    )


def _rates(comparison: Comparison, found: Findings, passage: Reading) -> None:
    """Notes a period by which the claim counts and the passage does not: "18 € par an" for "18 € par mois"."""
    mine = rates(_piece_text(comparison, found.fit))
    stated = rates(_core_text(passage, found.fit))
    found.signs["rate_added"] = float(bool(mine - stated) and not stated)
    if mine - stated and stated and "|" not in _core_text(passage, found.fit):
        found.vetoes.append("duration")


# --- denying, permitting, limiting -------------------------------------------------------------------------------------------


def _text(reading: Reading, clauses: tuple[int, ...]) -> str:
    return " . ".join(reading.folded.text[slice(*reading.clauses[clause])] for clause in clauses)


def _core_text(passage: Reading, fit: Fit) -> str:
    return " ".join(passage.folded.text[slice(*passage.sentences[sentence])] for sentence in fit.sentences)


def _piece_text(comparison: Comparison, fit: Fit) -> str:
    tokens = comparison.claim.tokens[fit.first : fit.last]
    return comparison.claim.folded.text[tokens[0].start : tokens[-1].end] if tokens else ""


def _denials(comparison: Comparison, found: Findings, passage: Reading) -> None:
    claim, fit = comparison.claim, found.fit
    clauses = sorted({token.clause for token in claim.tokens[fit.first : fit.last]})
    my_text, its_text = _piece_text(comparison, fit), _text(passage, found.clauses)
    priced = not (cues.free_of_charge(my_text) and cues.free_of_charge(_core_text(passage, fit)))
    mine = denied(claim, clauses, first=fit.first, last=fit.last, priced=priced)
    its = denied(passage, found.clauses, priced=priced)
    its_words = cues.lexical_denials(its_text)
    my_words = cues.lexical_denials(my_text)
    i_deny, it_denies = bool(mine or my_words), bool(its or its_words)
    said, stated = _paired(comparison, fit, passage)
    hard = sum(1.0 for denial in mine if not it_denies and said.intersection(denial.governed[:1]))
    hard += sum(1.0 for denial in its if not i_deny and stated.intersection(denial.governed[:1]))
    wide = comparison.context_text(fit) + _core_text(passage, fit)
    if hard and i_deny != (it_denies or bool(cues.lexical_denials(wide))) and not _opposed(comparison, found, passage):
        found.vetoes.append("negation")
    found.signs["denied"] = hard
    found.signs["denied_alone"] = _denied_alone(claim, passage, fit, mine, its)
    found.signs["denied_mine"] = float(not it_denies and i_deny)
    touched = any(not denial.governed or stated.intersection(denial.governed) for denial in its)
    found.signs["denied_its"] = float((touched or bool(its_words)) and not i_deny)
    only = cues.restricts(_core_text(passage, fit)) and not cues.restricts(my_text)
    found.signs["only_denied"] = float(only and bool(mine))
    parity = (len(mine) + len(my_words) - len(its) - len(its_words)) % 2
    found.signs["parity"] = float(parity and i_deny and it_denies)
    opposed = _opposed(comparison, found, passage)
    contrary = opposed and (len(mine) + len(its)) % 2 == 0
    if contrary and bool(my_words) != bool(its_words):
        found.vetoes.append("negation")  # "allowed" for "forbidden"
    found.signs["opposed"] = float(contrary)
    found.signs["opposed_denied"] = float(opposed and not contrary)


def _denied_alone(claim: Reading, passage: Reading, fit: Fit, mine: Sequence[Denial], its: Sequence[Denial]) -> float:
    """How many words are denied in one of the two texts, and in the other stand in a clause that denies nothing."""
    places = {place: word for word, matched in fit.pairs.items() for place in matched}
    count = 0
    for denial in mine:
        matched = fit.pairs.get(denial.governed[0], []) if denial.governed else []
        count += bool(matched) and not any(_denying(passage, passage.tokens[place].clause, its) for place in matched)
    for denial in its:
        word = places.get(denial.governed[0], -1) if denial.governed else -1
        count += word >= 0 and not _denying(claim, claim.tokens[word].clause, mine)
    return float(count)


def _denying(reading: Reading, clause: int, denials: Sequence[Denial]) -> bool:
    text = _text(reading, (clause,))
    return (
        any(denial.clause == clause for denial in denials) or bool(cues.lexical_denials(text)) or cues.restricts(text)
    )


def _paired(comparison: Comparison, fit: Fit, passage: Reading) -> tuple[set[int], set[int]]:
    """Words of the claim and of the passage that stand for each other, those of figures among them."""
    said, stated = set(fit.pairs), {place for places in fit.pairs.values() for place in places}
    for word in range(fit.first, fit.last):
        figure = comparison.claim.tokens[word].figure
        same = {
            place
            for place, token in enumerate(passage.tokens)
            if figure >= 0
            and token.figure >= 0
            and token.sentence in fit.sentences
            and same_figure(comparison.claim.figures[figure], passage.figures[token.figure])
        }
        stated |= same
        said |= {word} if same else set()
    return said, stated


def _opposed(comparison: Comparison, found: Findings, passage: Reading) -> bool:
    """True when a word of the claim that is not found has its opposite in the clauses it speaks of."""
    sides = {side for token in passage.tokens if token.clause in found.clauses for side in token.sides}
    words = [*found.missing, *found.fit.context]
    first, last = found.fit.first, found.fit.last
    words += [word for word in range(first, last) if comparison.claim.tokens[word].weight == 0]
    return any(
        (number, not left) in sides and (number, left) not in sides
        for word in words
        for number, left in comparison.claim.tokens[word].sides
    )


def _moods(comparison: Comparison, found: Findings, passage: Reading) -> None:
    mine, its = _piece_text(comparison, found.fit), _text(passage, found.clauses)
    may, must = cues.permits(mine), cues.obliges(mine)
    its_may, its_must = cues.permits(its), cues.obliges(its)
    changed = _changed_moods(comparison, found, passage)
    found.signs["may_for_must"] = float(False in changed or (may and not must and its_must and not its_may))
    found.signs["must_for_may"] = float(True in changed or (must and not may and its_may and not its_must))
    found.signs["may_added"] = float(may and not (its_may or its_must))
    found.signs["must_added"] = float(must and not (its_may or its_must))
    found.signs["may_dropped"] = float(its_may and not (may or must))
    found.signs["must_dropped"] = float(its_must and not (may or must))


def _changed_moods(comparison: Comparison, found: Findings, passage: Reading) -> set[bool]:
    """True for a word that the claim demands and the passage permits, False for one that it permits and the passage demands."""
    fit = found.fit
    clauses = sorted({token.clause for token in comparison.claim.tokens[fit.first : fit.last]})
    its = _governed_moods(passage, found.clauses)
    changed = set()
    for word, demanded in _governed_moods(comparison.claim, clauses).items():
        stated = {its[place] for place in fit.pairs.get(word, ()) if place in its}
        if stated and demanded not in stated:
            changed.add(demanded)
    return changed


def _governed_moods(reading: Reading, clauses: Sequence[int]) -> dict[int, bool]:
    """Words right after a permission or a demand, by position, and whether they are demanded."""
    governed: dict[int, bool] = {}
    for clause in clauses:
        start, end = reading.clauses[clause]
        for place, demanded in cues.moods(reading.folded.text[start:end]):
            after = (
                word
                for word, token in enumerate(reading.tokens)
                if token.clause == clause and token.start >= start + place
            )
            said = [word for word in after if reading.tokens[word].weight > 0 and not _is_addressee(reading, word)]
            if said:
                governed[said[0]] = demanded
    return governed


def _is_addressee(reading: Reading, word: int) -> bool:
    """True for who may or must in Arabic, where it stands between the two: "يجب على المترشح التسجيل", "يجوز للمترشح"."""
    if reading.language != "ar" or word == 0:
        return False
    before = reading.tokens[word - 1].word
    return before == "علي" or (reading.tokens[word].word.startswith("لل") and reading.tokens[word - 1].weight == 0)


def _conditions(comparison: Comparison, found: Findings, passage: Reading) -> None:
    said = {key for token in comparison.claim.tokens if token.weight > 0 for key in token.keys}
    signs = found.signs
    signs["dropped_strong"] = signs["dropped_weak"] = 0.0
    for sentence in found.fit.sentences:
        start, end = passage.sentences[sentence]
        for place, strong in cues.conditions(passage.folded.text[start:end]):
            before = passage.clause_of(max(start, start + place - 2))
            beside = not strong or place == 0 or before in found.clauses
            if beside and _left_out(_condition(passage, start + place), said):
                signs["dropped_strong" if strong else "dropped_weak"] = 1.0
    signs["exception_turned"] = _exceptions_turned(comparison, found.fit, passage)
    mine = _piece_text(comparison, found.fit)
    its = _core_text(passage, found.fit)
    stated = cues.conditions(its)
    signs["condition_added"] = float(
        bool(cues.conditions(mine)) and not stated and not _condition_found(comparison, found)
    )
    signs["always_dropped"] = float(
        cues.says_always(its) and not cues.says_always(mine) and bool(cues.conditions(mine))
    )
    signs["only_added"] = float(cues.restricts(mine) and not cues.restricts(its))
    signs["only_dropped"] = float(cues.restricts(_text(passage, found.clauses)) and not cues.restricts(mine))
    signs["always_added"] = float(cues.says_always(mine) and not cues.says_always(its))


def _exceptions_turned(comparison: Comparison, fit: Fit, passage: Reading) -> float:
    """How many exceptions of the sentences the claim speaks of as if the rule held for them: "guide dogs are not allowed"."""
    mine = _piece_text(comparison, fit)
    if cues.exceptions(mine) or (any(strong for _, strong in cues.conditions(mine)) and not cues.restricts(mine)):
        return 0.0
    i_deny = bool(cues.denial_places(mine) or cues.lexical_denials(mine))
    count = 0
    for sentence in fit.sentences:
        left, right = passage.sentences[sentence]
        text = passage.folded.text[left:right]
        for start, end in cues.exceptions(text):
            rule = text[:start]
            denied_rule = bool(cues.denial_places(rule) or cues.lexical_denials(rule))
            excepted = {
                place
                for place, token in enumerate(passage.tokens)
                if left + start <= token.start < left + end and token.weight > 0
            }
            said = [word for word, places in fit.pairs.items() if set(places) <= excepted]
            count += bool(said) and denied_rule == i_deny
    return float(count)


def _condition_found(comparison: Comparison, found: Findings) -> bool:
    """True when what the claim makes a condition stands in the sentences in other words: "with the permission of"."""
    claim, fit = comparison.claim, found.fit
    start = claim.tokens[fit.first].start if fit.first < fit.last else 0
    places = [start + place for place, _ in cues.conditions(_piece_text(comparison, fit))]
    words = [
        word
        for word in comparison.said
        if fit.first <= word < fit.last
        and any(place <= claim.tokens[word].start < claim.clauses[claim.clause_of(place)][1] for place in places)
    ]
    weight = sum(claim.tokens[word].weight for word in words)
    return weight >= 1 and sum(claim.tokens[word].weight for word in words if word in fit.pairs) >= 0.6 * weight


def _condition(passage: Reading, place: int) -> list[Token]:
    end = passage.clauses[passage.clause_of(place)][1]
    return [token for token in passage.tokens if place <= token.start < end]


def _left_out(condition: Sequence[Token], said: set[str]) -> bool:
    weight = sum(token.weight for token in condition)
    covered = sum(token.weight for token in condition if token.keys & said)
    return weight >= 1 and covered < weight / 3
