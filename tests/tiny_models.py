"""A very small encoder, made on the spot, and a corpus whose passages it can learn to tell apart."""

from __future__ import annotations

import random
from pathlib import Path

from assistant.access import Label
from assistant.adaptation.pairs import CorpusPassage

TOPICS = 16
WORDS_OF_A_TOPIC = 24
SENTENCES = 4


def word(topic: int, number: int) -> str:
    """A word that only passages about this topic use."""
    return f"t{chr(97 + topic)}{chr(97 + number)}"


def tiny_model(folder: Path) -> Path:
    """A model folder in the layout of sentence-transformers: two layers, random weights, a word for each word of `corpus`."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + [word(t, n) for t in range(TOPICS) for n in range(WORDS_OF_A_TOPIC)]
    tokenizer = Tokenizer(WordLevel({name: place for place, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    raw = folder.with_name(f"{folder.name}-raw")
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    fast.save_pretrained(str(raw))
    shape = BertConfig(
        vocab_size=len(names),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertModel(shape).save_pretrained(str(raw))
    transformer = Transformer(str(raw), max_seq_length=96)
    model = SentenceTransformer(modules=[transformer, Pooling(32)], device="cpu")
    model.save(str(folder), create_model_card=False)
    return folder


def corpus(documents: int = 150) -> tuple[CorpusPassage, ...]:
    """Two passages a document, each about two topics; no two sentences of a passage share a word.

    So a sentence says which passage it was taken from only to whoever has learned which words belong together.
    """
    chance = random.Random(7)
    passages = []
    for number in range(documents):
        for part in range(2):
            topics = chance.sample(range(TOPICS), 2)
            text = " ".join(_sentence(chance, topics, place) for place in range(SENTENCES))
            passages.append(
                CorpusPassage(f"p{number}-{part}", f"d{number}", "", (), text, "fr", Label.parse("internal"))
            )
    return tuple(passages)


def _sentence(chance: random.Random, topics: list[int], place: int) -> str:
    """Eight words, four of each topic, from the part of its words that belongs to this place."""
    size = WORDS_OF_A_TOPIC // SENTENCES
    words = [word(topic, place * size + number) for topic in topics for number in chance.sample(range(size), 4)]
    chance.shuffle(words)
    return " ".join(words).capitalize() + "."
