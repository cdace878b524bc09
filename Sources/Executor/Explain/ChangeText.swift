package import PipelineIR

/// What differs between two results as a person reads it: "`src/x.c` changed (1a2b… → 3c4d…)".
package enum ChangeText {
    /// Hexadecimal digits of a digest that are shown.
    package static let shownDigits = 8
    /// Characters of a value that are shown.
    static let shownCharacters = 44

    /// One line for each difference; those of the command are one together. Beyond `most`, the
    /// rest is counted.
    package static func lines(_ changes: [ManifestChange], most: Int = 20) -> [String] {
        let isCommand = changes.map { change in
            if case .fact(let kind, _, _, _) = change {
                kind == .script || kind == .argument
            } else {
                false
            }
        }
        var lines: [String] = []
        // Only a single script has one line of its own that differs.
        let commands = zip(changes, isCommand).filter(\.1).map(\.0)
        if let command = command(commands) { lines.append(command) }
        let others = zip(changes, isCommand).filter { !$0.1 }.map(\.0)
        let room = max(1, most - lines.count)
        // The one that would be left out is no longer than saying so.
        let shown = others.count > room ? max(1, room - 1) : others.count
        lines += others.prefix(shown).map(line)
        if others.count > shown { lines.append("and \(others.count - shown) more differences") }
        return lines
    }

    /// One difference in one line.
    package static func line(_ change: ManifestChange) -> String {
        switch change {
        case .fact(let kind, let name, let old, let new): fact(kind, name, old, new)
        case .input(let path, let old, let new): input(path, old, new)
        }
    }

    /// The first digits of a digest.
    package static func short(_ digest: Digest) -> String {
        String(digest.hex.prefix(shownDigits))
    }

    // MARK: Facts

    private static func fact(
        _ kind: Manifest.Kind, _ name: String, _ old: String?, _ new: String?
    ) -> String {
        switch kind {
        case .schema: "this version of Danube makes keys in another way"
        case .script: changed("the command", old, new)
        case .argument: changed("word \((Int(name) ?? 0) + 1) of the command", old, new)
        case .variable: changed("variable `\(name)`", old, new)
        case .secret: secret(name, old, new)
        case .image: changed("the image", old, new)
        case .host: "this machine changed (its system, C library or PATH)"
        case .platform: changed("the platform", old, new)
        case .workdir: changed("the working directory", old.map(folder), new.map(folder))
        case .output:
            new == nil ? "output `\(name)` is declared no more" : "output `\(name)` is declared now"
        case .capture: "its output is \(new == "yes" ? "" : "not ")captured now"
        case .service: service(name, old, new)
        case .network: changed("what it reaches of the network", old, new)
        case .scope: "it ran \(way(old)) then, and runs \(way(new)) now"
        case .inputs: "its inputs changed"
        }
    }

    private static func changed(_ what: String, _ old: String?, _ new: String?) -> String {
        guard let old else { return "\(what) is new: \(quoted(new ?? "", against: ""))" }
        guard let new else { return "\(what) is gone; it was \(quoted(old, against: ""))" }
        let (a, b) = firstDifferentLines(readable(old), readable(new))
        return "\(what) changed: \(quoted(a, against: b)) → \(quoted(b, against: a))"
    }

    /// What differs in the command, in one line; `nil` when nothing does.
    private static func command(_ changes: [ManifestChange]) -> String? {
        guard let first = changes.first else { return nil }
        if changes.count == 1 { return line(first) }
        var before: [String] = []
        var after: [String] = []
        for case .fact(_, _, let old, let new) in changes {
            if let old { before.append(readable(old)) }
            if let new { after.append(readable(new)) }
        }
        return changed(
            "the command", before.joined(separator: " "), after.joined(separator: " "))
    }

    private static func secret(_ name: String, _ old: String?, _ new: String?) -> String {
        if old == nil { return "secret `\(name)` is used now" }
        return new == nil
            ? "secret `\(name)` is used no more" : "secret `\(name)` has another value"
    }

    private static func service(_ name: String, _ old: String?, _ new: String?) -> String {
        if old == nil { return "service `\(name)` is new" }
        return new == nil ? "service `\(name)` is gone" : "service `\(name)` changed"
    }

    private static func folder(_ path: String) -> String { path.isEmpty ? "." : path }

    private static func way(_ scope: String?) -> String {
        switch scope {
        case "in-place": "in place"
        case let scope?: scope
        case nil: "otherwise"
        }
    }

    // MARK: Files

    private static func input(
        _ path: TreePath, _ old: FileTree.Node?, _ new: FileTree.Node?
    ) -> String {
        let name = "`\(path.text)`"
        switch (old, new) {
        case (nil, let new?): return "\(name) is new\(suffix(new))"
        case (let old?, nil): return "\(name) is gone\(suffix(old))"
        case (.file(let a, _, let couldRun), .file(let b, _, let canRun)):
            if a == b { return "\(name) \(canRun ? "became" : "is no longer") executable" }
            let mode =
                couldRun == canRun ? "" : canRun ? ", executable now" : ", not executable now"
            return "\(name) changed (\(short(a)) → \(short(b))\(mode))"
        case (.link(let a), .link(let b)):
            return "\(name) points to \(quoted(text(b), against: "")), not "
                + quoted(text(a), against: "")
        case (let old?, let new?): return "\(name) was \(kind(old)), and is \(kind(new)) now"
        case (nil, nil): return "\(name) did not change"
        }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func suffix(_ node: FileTree.Node) -> String {
        switch node {
        case .file(let digest, _, _): " (\(short(digest)))"
        case .link(let target): " (a link to \(quoted(text(target), against: "")))"
        case .folder: " (an empty folder)"
        }
    }

    private static func kind(_ node: FileTree.Node) -> String {
        switch node {
        case .file: "a file"
        case .link: "a symbolic link"
        case .folder: "an empty folder"
        }
    }

    // MARK: Values

    /// The text of a value as the danubefile has it: `ReferenceText` doubles backslashes, and a run
    /// marks secrets.
    package static func readable(_ value: String) -> String {
        var result = ""
        var isEscaped = false
        var isSecret = false
        for scalar in value.unicodeScalars {
            if scalar == "\u{0}" {
                // Marks stand on both sides: NUL, `secret KEY`, NUL.
                isSecret.toggle()
                result += isSecret ? "{" : "}"
            } else if scalar == "\\", !isEscaped {
                isEscaped = true
                continue
            } else {
                result.unicodeScalars.append(scalar)
            }
            isEscaped = false
        }
        return result
    }

    private static func firstDifferentLines(_ old: String, _ new: String) -> (String, String) {
        let before = old.split(separator: "\n", omittingEmptySubsequences: false)
        let after = new.split(separator: "\n", omittingEmptySubsequences: false)
        let same = zip(before, after).prefix { $0 == $1 }.count
        func line(_ lines: [Substring]) -> String {
            same < lines.count ? String(lines[same]) : ""
        }
        return (line(before), line(after))
    }

    /// A value in quotes; of a long one, what is around the first difference to another.
    static func quoted(_ value: String, against other: String) -> String {
        let scalars = Array(value.unicodeScalars)
        var text = String.UnicodeScalarView()
        if scalars.count <= shownCharacters {
            text.append(contentsOf: scalars)
            return "`\(String(text))`"
        }
        let same = zip(scalars, other.unicodeScalars).prefix { $0 == $1 }.count
        let start = same < shownCharacters - 12 ? 0 : min(same - 12, scalars.count - 1)
        text.append(contentsOf: scalars[start...].prefix(shownCharacters))
        let end = start + shownCharacters < scalars.count ? "…" : ""
        return "`\(start > 0 ? "…" : "")\(String(text))\(end)`"
    }
}
