/// Tags of contents (RFC 9110, section 8.8.3).
enum EntityTags {
    /// Whether a list, as `If-None-Match` has it, holds a tag; a weak one is as good.
    static func holds(_ list: String?, _ tag: String) -> Bool {
        (list ?? "").split(separator: ",").contains { part in
            let text = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            return String(text) == tag || String(text) == "W/\(tag)" || String(text) == "*"
        }
    }
}
