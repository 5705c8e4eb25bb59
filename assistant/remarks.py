"""What is said to the assistant and asks nothing of the documents: thanks, "are you sure?", "translate that".

Searched like a question it finds nothing, and the next follow-up would be completed with its words. Only whole sentences of a
closed list count: a question with a subject of its own is never taken for a remark.
"""

from __future__ import annotations

import re

from assistant.grounding.folding import folded

# Matched in folded text: no capitals, no accents, plain quotes. Line breaks and what follows them are only for reading.
_FRENCH = r"""
(?:(?:ok|bonjour|bonsoir|salut|merci|d'accord|parfait|super|bravo|tres bien|entendu|au revoir|bonne journee
   |s'il (?:te|vous) plait)
   (?: (?:beaucoup|bien|infiniment|pour (?:ta|votre|cette) reponse))?[ ,.!]*)+
|vraiment|(?:c'est|est-ce) (?:bien )?(?:sur|certain|vrai|exact)
|(?:en )?(?:es-tu|etes-vous|tu es|vous etes|t'es)(?: (?:vraiment|bien|tout a fait))?
   (?: (?:sur|certain)e?)(?: de (?:ca|cela|toi|vous|(?:ta|votre|cette) reponse))?
|d'ou (?:pro)?vient (?:cela|ca|(?:cette|ta|votre) (?:information|reponse))
|d'ou (?:(?:tiens|tires|sors)-tu|(?:tenez|tirez|sortez)-vous) (?:cela|ca|cette information)
|quelles? (?:est|sont) (?:ta|tes|votre|vos) sources?|(?:tes|vos|ta|votre) sources?
|(?:(?:peux-tu|pouvez-vous) (?:me )?)?(?:resume[rz]?|reformule[rz]?|repete[rz]?|raccourcis|raccourci(?:r|ssez)|simplifie[rz]?
   |detaille[rz]?|developpe[rz]?|explique[rz]?|traduis|traduire|traduisez)
   (?:[- ](?:moi|le|la|cela|ca|(?:la|ta|votre|cette) reponse))*
   (?: en (?:anglais|francais|arabe|bref|(?:une|deux|trois|quelques) (?:phrases?|lignes?|mots?)))?
|je (?:ne |n')(?:comprends|ai) pas(?: (?:bien )?compris)?|(?:c'est|ce n'est|cela est) (?:faux|pas (?:vrai|exact|juste)|inexact)
|tu te trompes|vous vous trompez|qui (?:es-tu|etes-vous)|que (?:sais-tu|savez-vous) faire|continue[rz]?|encore|la suite
"""
_ENGLISH = r"""
(?:(?:ok|okay|hello|hi|good (?:morning|afternoon|evening)|thanks|thank you|cheers|great|perfect|bye|goodbye|please)
   (?: (?:a lot|very much|so much|for (?:that|your answer)))?[ ,.!]*)+
|really|is (?:that|this|it) (?:really )?(?:true|right|correct|certain)
|are you (?:(?:really|quite|absolutely) )?(?:sure|certain)(?: (?:about|of) (?:that|this|it|your answer))?
|where (?:does|did) (?:this|that|it|(?:this|that|the) information|(?:your|this|the) answer) come from
|where did you (?:get|find|read) (?:this|that|it)(?: information)?|what (?:is|are) your sources?|(?:your )?sources?
|(?:(?:can|could) you |please )*(?:summari[sz]e|rephrase|repeat|shorten|simplify|explain|translate)
   (?: (?:that|this|it|(?:your|the|this) answer))?(?: again)?
   (?: in(?:to)? (?:english|french|arabic|short|(?:one|two|a few) (?:sentences?|words?)))?
|i (?:don't|do not|didn't|did not) (?:understand|get it)
|(?:you are|you're|that's|that is|this is) (?:wrong|mistaken|false|not (?:true|right))
|who are you|what can you do|(?:please )?(?:continue|go on)
"""
_ARABIC = r"""
(?:(?:شكرا|حسنا|طيب|مرحبا|اهلا|السلام عليكم|ممتاز|جيد|تمام|الي اللقاء|من فضلك)(?: (?:لك|لكم|جزيلا|وسهلا|جدا))*[ ،.!]*)+
|حقا|هل (?:هذا|ذلك) (?:صحيح|موكد|اكيد)|هل (?:انت|انتم) (?:متاكد|واثق)\w*(?: من (?:ذلك|هذا|(?:هذا )?(?:الجواب|جوابك|جوابكم)))?
|من اين (?:جاءت|اتت|لك|تاتي) ?(?:ب?(?:هذا|هذه|ذلك)(?: (?:المعلومه|المعلومات|الجواب))?)?
|ما (?:هو |هي )?(?:مصدرك|مصادرك|مصدركم|مصادركم|مصدر (?:هذا الجواب|هذه المعلومه))
|(?:هل يمكنك ان )?ت?(?:لخص|ترجم|كرر|اشرح|شرح|بسط|وضح|اختصر|ختصر)(?: (?:لي|ذلك|هذا|هذه|الجواب|جوابك|اجابتك|الاجابه))*
   (?: (?:الي |ب)(?:ال)?(?:فرنسيه|عربيه|انجليزيه|انكليزيه))?
|لم افهم|هذا (?:خطا|خاطي|غير صحيح)|من انت|ماذا (?:تستطيع|يمكنك)(?: ان تفعل)?|تابع|اكمل|واصل
"""
_REMARK = re.compile("|".join(re.sub(r"\n\s*", "", each) for each in (_FRENCH, _ENGLISH, _ARABIC)))
_AROUND = " ?؟!.…,;:،-\u00a0\u202f"


def is_remark(text: str) -> bool:
    """True for what is said about the talk itself, and for what has no word at all.

    >>> is_remark("Es-tu sûr ?"), is_remark("هل أنت متأكد؟"), is_remark("👍"), is_remark("Que coûte l'eau ?")
    (True, True, True, False)
    """
    said = " ".join(folded(text).text.split()).strip(_AROUND)
    return not any(map(str.isalnum, said)) or bool(_REMARK.fullmatch(said))
