"""What stands around the text of an exported file, in three languages."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "title": "Conversation",
        "exported": "Exporté le {date}",
        "label": "Niveau de diffusion : {label}",
        "searched": "Recherche effectuée : {question}",
        "quoted": (
            "Réponse produite par une machine : phrases citées mot à mot des documents indiqués en note. "
            "Vérifiez la source avant de vous en servir."
        ),
        "composed": (
            "Réponse rédigée par une intelligence artificielle ({model}) à partir des documents indiqués en "
            "note. Elle peut contenir des erreurs : vérifiez la source avant de vous en servir."
        ),
        "stopped": "La réponse a été interrompue ; seul ce qui avait été vérifié est reproduit.",
        "failed": "La réponse n’a pas pu être terminée.",
        "none": "Pas de réponse.",
        "withheld": "Phrases retenues faute d’appui dans les documents : {count}",
        "hidden": "Phrases non reproduites parce que leur source n’est plus consultable : {count}",
        "page": "p. {page}",
        "undated": "sans date",
        "of": "Page {page} sur {pages}",
        "quote": "« {quote} »",
        "public": "Public",
        "internal": "Interne",
        "restricted": "Restreint",
        "secret": "Secret",
    },
    "ar": {
        "title": "محادثة",
        "exported": "صُدّرت في {date}",
        "label": "مستوى التداول: {label}",
        "searched": "تم البحث عن: {question}",
        "quoted": (
            "جواب أعدّته آلة: جمل منقولة حرفيا من الوثائق المذكورة في الهوامش. يُرجى التحقق من المصدر قبل استعماله."
        ),
        "composed": (
            "جواب صاغه نظام ذكاء اصطناعي ({model}) انطلاقا من الوثائق المذكورة في الهوامش. قد يتضمن أخطاء؛ "
            "يُرجى التحقق من المصدر قبل استعماله."
        ),
        "stopped": "توقف الجواب قبل نهايته؛ لا يُعرض هنا إلا ما تم التحقق منه.",
        "failed": "تعذر إتمام الجواب.",
        "none": "لا يوجد جواب.",
        "withheld": "جمل لم تُعرض لعدم وجود سند لها في الوثائق: {count}",
        "hidden": "جمل لم تُعرض لأن مصدرها لم يعد متاحا: {count}",
        "page": "ص. {page}",
        "undated": "بلا تاريخ",
        "of": "صفحة {page} من {pages}",
        "quote": "«{quote}»",
        "public": "عام",
        "internal": "داخلي",
        "restricted": "محدود التداول",
        "secret": "سرّي",
    },
    "en": {
        "title": "Conversation",
        "exported": "Exported on {date}",
        "label": "Classification: {label}",
        "searched": "Searched: {question}",
        "quoted": (
            "Answer produced by a machine: sentences quoted word for word from the documents in the notes. "
            "Check the source before you rely on it."
        ),
        "composed": (
            "Answer written by an artificial intelligence ({model}) from the documents in the notes. It may "
            "contain errors: check the source before you rely on it."
        ),
        "stopped": "The answer was interrupted; only what had been checked is reproduced.",
        "failed": "The answer could not be finished.",
        "none": "No answer.",
        "withheld": "Sentences held back for lack of support in the documents: {count}",
        "hidden": "Sentences not reproduced because their source may no longer be read: {count}",
        "page": "p. {page}",
        "undated": "undated",
        "of": "Page {page} of {pages}",
        "quote": "“{quote}”",
        "public": "Public",
        "internal": "Internal",
        "restricted": "Restricted",
        "secret": "Secret",
    },
}
