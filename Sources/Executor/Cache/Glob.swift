/// A pattern for paths beneath a workspace.
///
/// `*`, `?`, `[a-z]` and `[!a-z]` match within a name, also one that begins with a dot; `**` as a
/// whole component matches any number of folders. What matches and is a folder stands for all that
/// is in it, so that nothing a step may read is overlooked; with a trailing `/`, only a folder
/// matches. Symbolic links are never followed, `.git` is never matched.
package struct Glob: Sendable, Hashable {
    /// One component of the pattern.
    enum Component: Sendable, Hashable {
        case name([UInt8])
        case pattern([UInt8])
        /// `**`.
        case folders
    }

    /// The pattern as it was written.
    package let text: String
    let components: [Component]
    /// Whether it ends with `/`.
    let wantsFolder: Bool
    /// Whether it begins with `!`: it takes away what other globs matched.
    let excludes: Bool

    /// Parses a glob. Throws `badGlob` when it is absolute or has a component `..` or a NUL.
    package init(_ text: String) throws(CacheError) {
        self.text = text
        var bytes = Array(text.utf8)[...]
        excludes = bytes.first == UInt8(ascii: "!")
        if excludes { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty, bytes.first != UInt8(ascii: "/"), !bytes.contains(0) else {
            throw .badGlob(text)
        }
        var components: [Component] = []
        for part in bytes.split(separator: UInt8(ascii: "/")) {
            let name = Array(part)
            if name == Array(".".utf8) { continue }
            if name == Array("..".utf8) { throw .badGlob(text) }
            if name == Array("**".utf8) {
                // Two in a row say no more than one.
                if components.last != .folders { components.append(.folders) }
            } else if name.contains(where: { $0 == star || $0 == mark || $0 == bracket }) {
                components.append(.pattern(name))
            } else {
                components.append(.name(name))
            }
        }
        // The workspace itself: all that is in it.
        if components.isEmpty { components = [.folders] }
        self.components = components
        wantsFolder = bytes.last == UInt8(ascii: "/") || components.last == .folders
    }

    /// The path, when the glob has no wildcard.
    package var literal: TreePath? {
        var path = TreePath.root
        for component in components {
            guard case .name(let name) = component else { return nil }
            path = path.appending(name)
        }
        return path
    }

    /// Whether the glob covers a path: matches it, or a folder around it.
    ///
    /// - Parameter isFolder: whether the path itself is a folder.
    package func covers(_ path: TreePath, isFolder: Bool) -> Bool {
        var progress = Progress(self)
        let names = path.bytes.split(separator: UInt8(ascii: "/"))
        for (position, name) in names.enumerated() {
            let last = position == names.count - 1
            let step = progress.entering(Array(name), isFolder: !last || isFolder)
            if step.covered { return true }
            progress = step.below
            if progress.isDead { return false }
        }
        return false
    }

    /// Whether a name matches a pattern without slashes, letter by letter. A byte that is no UTF-8
    /// is a letter of its own.
    ///
    /// Backtracks to the last star only, so the time is bounded by the product of the lengths.
    static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var at = 0
        var starAt = -1
        var position = 0
        var retry = 0
        while position < name.count {
            if at < pattern.count, pattern[at] == star {
                starAt = at
                retry = position
                at += 1
                continue
            }
            let letter = Letter(name, position)
            let width = at < pattern.count ? width(of: pattern, at, letter) : 0
            if width > 0 {
                at += width
                position += letter.width
            } else if starAt >= 0 {
                retry += Letter(name, retry).width
                at = starAt + 1
                position = retry
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == star }
    }

    /// Length of the pattern's element at `at` when it matches the letter, else 0.
    private static func width(of pattern: [UInt8], _ at: Int, _ letter: Letter) -> Int {
        if pattern[at] == mark { return 1 }
        let own = Letter(pattern, at)
        let plain = own.value == letter.value ? own.width : 0
        guard pattern[at] == bracket else { return plain }
        let negated = at + 1 < pattern.count && pattern[at + 1] == UInt8(ascii: "!")
        var body = at + (negated ? 2 : 1)
        // A `]` that comes first stands for itself.
        guard body + 1 < pattern.count,
            let end = pattern[(body + 1)...].firstIndex(of: UInt8(ascii: "]"))
        else { return plain }
        var inside = false
        while body < end {
            let low = Letter(pattern, body)
            body += low.width
            if body + 1 < end, pattern[body] == UInt8(ascii: "-") {
                let high = Letter(pattern, body + 1)
                inside = inside || (low.value <= letter.value && letter.value <= high.value)
                body += 1 + high.width
            } else {
                inside = inside || low.value == letter.value
            }
        }
        return inside != negated ? end - at + 1 : 0
    }
}

/// A character of a name, by its code point; a byte that is no UTF-8 has a value beyond them.
private struct Letter {
    let value: UInt32
    let width: Int

    init(_ bytes: [UInt8], _ position: Int) {
        let first = bytes[position]
        if first < 0x80 {
            value = UInt32(first)
            width = 1
            return
        }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        if position + length <= bytes.count,
            let text = String(validating: bytes[position..<(position + length)], as: UTF8.self),
            let scalar = text.unicodeScalars.first
        {
            value = scalar.value
            width = length
        } else {
            value = 0x11_0000 + UInt32(first)
            width = 1
        }
    }
}

private let star = UInt8(ascii: "*")
private let mark = UInt8(ascii: "?")
private let bracket = UInt8(ascii: "[")

extension Glob {
    /// How far a glob has come on the way down to a folder: positions in its components that may
    /// be next. A glob has few components, so they are bits.
    struct Progress: Sendable {
        private let glob: Glob
        private var next: [Int]

        init(_ glob: Glob) {
            self.glob = glob
            next = []
            add(0)
        }

        /// Nothing beneath can match.
        var isDead: Bool { next.isEmpty }

        /// The only names that can match next; `nil` when they have to be listed.
        var names: [[UInt8]]? {
            var names: [[UInt8]] = []
            for position in next {
                guard case .name(let name) = glob.components[position] else { return nil }
                names.append(name)
            }
            return names
        }

        /// What a name in the folder comes to.
        func entering(
            _ name: [UInt8], isFolder: Bool
        ) -> (covered: Bool, below: Progress) {
            var below = self
            below.next = []
            var covered = false
            for position in next {
                let last = position == glob.components.count - 1
                switch glob.components[position] {
                case .folders:
                    // The last one covers folders with all in them, and files.
                    if last { covered = true } else if isFolder { below.add(position) }
                    continue
                case .name(let wanted): if name != wanted { continue }
                case .pattern(let pattern): if !Glob.matches(name, pattern) { continue }
                }
                if last {
                    covered = covered || isFolder || !glob.wantsFolder
                } else if isFolder {
                    below.add(position + 1)
                    // `a/**` stands for all that is in `a`, and so for `a`.
                    if position + 2 == glob.components.count,
                        glob.components[position + 1] == .folders
                    {
                        covered = true
                    }
                }
            }
            return (covered, below)
        }

        private mutating func add(_ position: Int) {
            if !next.contains(position) { next.append(position) }
            // `**` may stand for no folder at all.
            if glob.components[position] == .folders, position + 1 < glob.components.count {
                add(position + 1)
            }
        }
    }
}
