// What stands above an exchange: the reader's question, or which documents are summed up or compared.

/** The headline of a turn, or of a conversation's first turn: {kind, question, documents}. */
export function headline({ kind, question, documents }, words) {
  if (kind === "question") return question;
  const [one, other] = documents.map(({ title }) => title || words.say("reading.gone"));
  if (kind === "summary") return words.say("reading.summary_of", { title: one });
  if (documents.length < 2 || documents[0].document_id === documents[1].document_id) return words.say("reading.changes_of", { title: one });
  return words.say("reading.comparison_of", { one, other });
}

/** The title of a conversation: its own, else what its first turn is about. */
export function titleOf({ title, first }, words) {
  return title || (first && first.kind !== "question" ? headline(first, words) : words.say("conversations.untitled"));
}
