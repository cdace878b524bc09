/// Python source by its indentation, which is enough for what the rules ask.
struct PythonText {
    let path: String
    let lines: [Substring]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Functions longer than 60 lines without their docstring, nested ones on their own account.
    func longFunctions() -> [Finding] {
        definitions(["def ", "async def "]).compactMap { definition in
            let count = definition.last - definition.first + 1 - docstringLines(definition)
            if count <= 60 { return nil }
            return Finding(
                path: path, line: definition.first + 1,
                message: "\(definition.name) has \(count) lines")
        }
    }

    /// Classes, with the line (1-based) where they begin.
    func classes() -> [(name: String, line: Int)] {
        definitions(["class "]).map { ($0.name, $0.first + 1) }
    }

    /// Public functions and classes at module level, and public methods of public classes that
    /// are longer than three lines, without a docstring.
    func undocumented() -> [Finding] {
        var findings: [Finding] = []
        var publicClass = false
        for definition in definitions(["def ", "async def ", "class "]) {
            let isPublic = !definition.name.hasPrefix("_")
            if definition.indent == 0 { publicClass = isPublic && definition.isClass }
            guard isPublic, definition.indent == 0 || (definition.indent == 4 && publicClass) else {
                continue
            }
            if isOverload(definition.first) || hasDocstring(definition) { continue }
            if definition.indent > 0, definition.last - definition.first < 3 { continue }
            findings.append(
                Finding(
                    path: path, line: definition.first + 1,
                    message: "\(definition.name) has no docstring"))
        }
        return findings
    }

    /// Modules imported when the file is imported: the imports that are not indented.
    func startupImports() -> [(module: String, line: Int)] {
        var found: [(module: String, line: Int)] = []
        for (index, line) in lines.enumerated() {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "," })
            if words.first == "import" {
                for word in words.dropFirst().prefix(while: { !$0.hasPrefix("#") })
                where word != "as" {
                    found.append((String(word), index + 1))
                }
            } else if words.first == "from", words.count > 1 {
                found.append((String(words[1]), index + 1))
            }
        }
        return found.filter { entry in !lines[entry.line - 1].hasPrefix(" ") }
    }

    private struct Definition {
        let name: String
        let indent: Int
        let isClass: Bool
        /// 0-based lines, to the last that is not blank.
        let first: Int
        let last: Int
    }

    private func definitions(_ keywords: [String]) -> [Definition] {
        var found: [Definition] = []
        for (index, line) in lines.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            let rest = line.dropFirst(indent)
            guard let keyword = keywords.first(where: { rest.hasPrefix($0) }) else { continue }
            let name = rest.dropFirst(keyword.count).prefix {
                $0.isLetter || $0.isNumber || $0 == "_"
            }
            found.append(
                Definition(
                    name: String(name), indent: indent, isClass: keyword == "class ", first: index,
                    last: end(of: index, indent: indent)))
        }
        return found
    }

    private func end(of first: Int, indent: Int) -> Int {
        var last = first
        var inSignature = true
        for index in (first + 1)..<max(first + 1, lines.count) {
            let line = lines[index]
            if line.allSatisfy({ $0 == " " }) { continue }
            let own = line.prefix { $0 == " " }.count
            let closing = line.dropFirst(own).first.map { $0 == ")" || $0 == "]" } ?? false
            if own <= indent, !(inSignature && closing) { break }
            if own <= indent { inSignature = false }
            last = index
        }
        return last
    }

    private func isOverload(_ first: Int) -> Bool {
        var above = first - 1
        while above >= 0, lines[above].drop(while: { $0 == " " }).hasPrefix("@") {
            if lines[above].contains("overload") || lines[above].contains(".setter") { return true }
            above -= 1
        }
        return false
    }

    private func hasDocstring(_ definition: Definition) -> Bool { docstringLines(definition) > 0 }

    private func docstringLines(_ definition: Definition) -> Int {
        var first = definition.first
        while first <= definition.last, !endsSignature(lines[first]) { first += 1 }
        first += 1
        guard first <= definition.last else { return 0 }
        let opening = lines[first].drop { $0 == " " || $0 == "r" }
        guard opening.hasPrefix("\"\"\"") else { return 0 }
        if opening.dropFirst(3).contains("\"\"\"") { return 1 }
        var last = first + 1
        while last < definition.last, !lines[last].contains("\"\"\"") { last += 1 }
        return last - first + 1
    }

    private func endsSignature(_ line: Substring) -> Bool {
        let code = line.split(separator: "  #", maxSplits: 1).first ?? line
        return code.last { $0 != " " } == ":"
    }
}
