/// What a job may be asked for: a full id of a commit, or the name of a branch, tag or other ref.
///
/// The rules are those of `git check-ref-format`; abbreviations, expressions such as `HEAD~1` and
/// pseudo-refs are none of it, since what they mean depends on who reads them.
enum GitRef: Sendable, Equatable {
    /// A full id of a commit.
    case commit(String)
    /// A name: `main`, `v1.0`, `refs/pull/1/merge`.
    case name(String)

    static let mostBytes = 255
    private static let pseudo: Set<String> = [
        "HEAD", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD",
    ]

    /// Takes a text; `nil` when it is no such thing.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= Self.mostBytes else { return nil }
        let isHex = bytes.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
        }
        if isHex, bytes.count == 40 || bytes.count == 64 {
            self = .commit(text)
            return
        }
        // What looks like a part of an id is read as one by git.
        if isHex, bytes.count >= 7 { return nil }
        guard Self.isName(text, bytes), !Self.pseudo.contains(text) else { return nil }
        self = .name(text)
    }

    private static func isName(_ text: String, _ bytes: [UInt8]) -> Bool {
        let forbidden = Set(" ~^:?*[\\\u{7f}".utf8)
        // Letters of other scripts are allowed by git; those that hide or reorder text are not.
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .privateUse, .surrogate, .unassigned, .lineSeparator,
                .paragraphSeparator, .spaceSeparator:
                return false
            default: break
            }
        }
        guard !bytes.contains(where: { $0 < 0x21 || forbidden.contains($0) }),
            bytes.first != UInt8(ascii: "-"), bytes.first != UInt8(ascii: "+"),
            bytes.last != UInt8(ascii: "."), text != "@",
            !text.contains(".."), !text.contains("@{"), !text.contains("//")
        else { return false }
        return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && !part.hasPrefix(".") && !part.hasSuffix(".lock")
        }
    }
}
