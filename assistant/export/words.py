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
        "leads": "Passages les plus proches de la question ; aucun n’y répond de façon sûre :",
        "none": "Pas de réponse.",
        "withheld": "Phrases retenues faute d’appui dans les documents : {count}",
        "hidden": "Phrases non reproduites parce que leur source n’est plus consultable : {count}",
        "hidden_changes": "Changements non reproduits parce que l’un des textes n’est plus consultable : {count}",
        "left_out": "Autres changements, non reproduits parce qu’il y en a trop : {count}",
        "summary_of": "Résumé de « {title} »",
        "changes_of": "Ce qui a changé dans « {title} »",
        "comparison_of": "Comparaison de « {one} » et de « {other} »",
        "gone": "un document qui n’est plus consultable",
        "compared": (
            "Comparaison produite par une machine : les deux textes sont cités tels qu’ils se lisent dans les documents "
            "indiqués en note. Vérifiez la source avant de vous en servir."
        ),
        "versions": "Versions comparées : {before} et {after}",
        "version": "version {version}",
        "added": "Ajouté",
        "removed": "Supprimé",
        "changed": "Modifié",
        "moved": "déplacé",
        "before": "Avant : {text}",
        "after": "Après : {text}",
        "unchanged": "Les deux textes disent la même chose.",
        "one_version": "Il n’y a qu’une version de ce document que vous puissiez consulter.",
        "sources": "Sources :",
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
        "leads": "أقرب المقاطع إلى السؤال، ولا يجيب عنه أي منها بيقين:",
        "none": "لا يوجد جواب.",
        "withheld": "جمل لم تُعرض لعدم وجود سند لها في الوثائق: {count}",
        "hidden": "جمل لم تُعرض لأن مصدرها لم يعد متاحا: {count}",
        "hidden_changes": "تغييرات لم تُعرض لأن أحد النصين لم يعد متاحا: {count}",
        "left_out": "تغييرات أخرى لم تُعرض لكثرتها: {count}",
        "summary_of": "ملخّص «{title}»",
        "changes_of": "ما تغيّر في «{title}»",
        "comparison_of": "مقارنة «{one}» و«{other}»",
        "gone": "وثيقة لم تعد متاحة",
        "compared": (
            "مقارنة أعدّتها آلة: النصان منقولان كما يُقرآن في الوثائق المذكورة في الهوامش. يُرجى التحقق من المصدر قبل "
            "استعمالها."
        ),
        "versions": "النسختان المقارنتان: {before} و{after}",
        "version": "النسخة {version}",
        "added": "أُضيف",
        "removed": "حُذف",
        "changed": "عُدّل",
        "moved": "نُقل",
        "before": "قبل: {text}",
        "after": "بعد: {text}",
        "unchanged": "النصان متطابقان في المضمون.",
        "one_version": "لا توجد من هذه الوثيقة إلا نسخة واحدة يحق لكم الاطلاع عليها.",
        "sources": "المصادر:",
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
        "leads": "The passages nearest to the question; none of them surely answers it:",
        "none": "No answer.",
        "withheld": "Sentences held back for lack of support in the documents: {count}",
        "hidden": "Sentences not reproduced because their source may no longer be read: {count}",
        "hidden_changes": "Changes not reproduced because one of the texts may no longer be read: {count}",
        "left_out": "Further changes, not reproduced because there are too many: {count}",
        "summary_of": "Summary of “{title}”",
        "changes_of": "What changed in “{title}”",
        "comparison_of": "“{one}” compared with “{other}”",
        "gone": "a document that may no longer be read",
        "compared": (
            "Comparison produced by a machine: both texts are quoted as they read in the documents in the notes. "
            "Check the source before you rely on it."
        ),
        "versions": "Versions compared: {before} and {after}",
        "version": "version {version}",
        "added": "Added",
        "removed": "Removed",
        "changed": "Changed",
        "moved": "moved",
        "before": "Before: {text}",
        "after": "After: {text}",
        "unchanged": "The two texts say the same.",
        "one_version": "There is only one version of this document that you may read.",
        "sources": "Sources:",
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
