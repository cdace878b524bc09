import PipelineIR
import Testing

@testable import Executor

/// Templates mean what the Python says that evaluates danubefiles. One Python process answers
/// for a whole table; texts travel as lists of code points, so nothing on the way touches them.
@Suite struct TemplateTextTests {
    /// Reads a line per question: kind, name, index, limit, then texts; writes an answer per line.
    private static let script = """
        import json, shlex, sys, textwrap
        def text(part):
            return "".join(map(chr, map(int, part.split(",")))) if part else ""
        def answer(kind, name, index, limit, base, *args):
            if kind == "compare":
                a, b = base, args[0]
                return {"==": a == b, "<": a < b, "<=": a <= b, "in": a in b,
                        "startswith": a.startswith(b), "endswith": a.endswith(b)}[name]
            if name in ("split", "splitlines"):
                separator = args[0] if args else None
                pieces = base.splitlines()
                if name == "split":
                    pieces = base.split(separator, limit)
                return pieces[index]
            if name == "replace":
                return base.replace(*args, limit)
            if name == "json":
                return json.dumps(base)
            if name == "quote":
                return shlex.quote(base)
            if name == "dedent":
                return textwrap.dedent(base)
            return getattr(base, name)(*args)
        for line in sys.stdin:
            kind, name, index, limit, *texts = line.rstrip("\\n").split(" ")
            try:
                found = answer(kind, name, int(index), int(limit), *map(text, texts))
            except (IndexError, ValueError):
                print("-")
                continue
            points = "" if isinstance(found, bool) else ",".join(str(ord(c)) for c in found)
            print(int(found) if isinstance(found, bool) else "=" + points)
        """

    private static let texts: [String] = [
        "", " ", "a", "A", "abc", " abc ", "\t\n abc \u{b}\u{c}\r", "a b", "a  b   c", "  a b  c  ",
        "a,b,,c,", ",", ",,", "aXbXc", "aaaa", "abababa", "v1.2.3-rc1", "one\ntwo\r\nthree\rfour",
        "\n", "\r\n", "\n\n", "a\n",
        "a\u{b}b\u{c}c\u{1c}d\u{1d}e\u{1e}f\u{1f}g\u{85}h\u{2028}i\u{2029}j",
        "\u{a0}nbsp\u{a0}", "\u{1680}x\u{2000}y\u{200a}z\u{202f}\u{205f}\u{3000}",
        "\u{200b}zero\u{200b}",
        "\u{feff}bom", "e\u{301}", "\u{e9}", "stra\u{df}e", "STRASSE", "\u{130}I\u{131}i", "ΑΣ",
        "Σ",
        "ΑΣ Σ ΑΣΒ", "ΑΣ.", "ΑΣ\u{ad}", "ΑΣ\u{301}Β", "'Σ", "aΣ'b", "aΣ:", "ﬁﬂ", "ǅ", "ŉ", "ΐ", "ẞ",
        "😀", "a😀b", "👨‍👩‍👧", "🇩🇪", "\u{10ffff}", "\u{ffff}", "\u{e000}", "\u{1}\u{7f}\u{80}\u{9f}",
        "\"quoted\"", "back\\slash", "'", "it's", "''", "$HOME", "a-b_c.d/e:f,g+h=i%j@k", "ä",
        "a;b",
        "*", "~", "#x", "a=b c", "    indented\n      more\n    back", "\tx\n\ty", "\t x\n\t  y\n",
        "  a\n\tb\n", "  a\n   \n  b\n \t\n", "a\n  b", "   \n\n  x\n", "  x\r\n  y\r\n",
        "  \r\n  x",
        "  a\u{b}\n  b", "\u{a0} a\n\u{a0} b", " \u{2028} x\n x", "x\n\n", "  \t  ",
        "  a\n b\n   c",
        "a\u{0301}b\r\n\u{0301}c", "\r\n\r", "abcabc", "ﬀ", "İstanbul",
    ]
    private static let arguments = [
        "", "a", "b", "abc", "ab", "aa", " ", ",", ",,", "\n", "\r\n", "\u{301}", "e", "é", "'",
        "Σ", "😀", "v", "X", "-", "\u{df}", "ba", "aba",
    ]

    private enum Question {
        case operation(Template.Operation, String)
        case comparison(Condition.Comparison, String, String)

        var line: String {
            func points(_ text: String) -> String {
                text.unicodeScalars.map { String($0.value) }.joined(separator: ",")
            }
            switch self {
            case .operation(let operation, let base):
                let texts = ([base] + operation.arguments).map(points)
                return
                    "op \(operation.name.rawValue) \(operation.index) \(operation.limit) "
                    + texts.joined(separator: " ")
            case .comparison(let comparison, let left, let right):
                return "compare \(comparison.rawValue) 0 0 \(points(left)) \(points(right))"
            }
        }

        var answer: String {
            switch self {
            case .operation(let operation, let base):
                guard let text = try? TemplateText.apply(operation, to: base) else { return "-" }
                return "="
                    + text.unicodeScalars.map { String($0.value) }.joined(separator: ",")
            case .comparison(let comparison, let left, let right):
                return TemplateText.holds(comparison, left, right) ? "1" : "0"
            }
        }
    }

    private static func questions() -> [Question] {
        var found: [Question] = []
        func ask(
            _ name: Template.Operation.Name, _ base: String, _ arguments: [String] = [],
            index: Int64 = 0, limit: Int64 = -1
        ) {
            found.append(
                .operation(
                    .init(
                        name: name, base: .empty, arguments: arguments, index: index, limit: limit),
                    base))
        }
        for text in texts {
            for name in [Template.Operation.Name.lower, .upper, .json, .quote, .dedent] {
                ask(name, text)
            }
            for name in [Template.Operation.Name.strip, .lstrip, .rstrip] {
                ask(name, text)
                for argument in arguments { ask(name, text, [argument]) }
            }
            for index in [0, 1, -1, -3, .max, .min] as [Int64] {
                ask(.splitlines, text, index: index)
                for limit in [-1, 0, 1, 2] as [Int64] {
                    ask(.split, text, index: index, limit: limit)
                    for argument in arguments {
                        ask(.split, text, [argument], index: index, limit: limit)
                    }
                }
            }
            for argument in arguments {
                ask(.removeprefix, text, [argument])
                ask(.removesuffix, text, [argument])
                for limit in [-1, 0, 1, 2] as [Int64] {
                    ask(.replace, text, [argument, "<>"], limit: limit)
                    ask(.replace, text, [argument, ""], limit: limit)
                }
            }
            for other in texts + arguments {
                for comparison in Condition.Comparison.allCases
                where comparison != .codeLess && comparison != .codeLessOrEqual {
                    found.append(.comparison(comparison, text, other))
                }
            }
        }
        return found
    }

    private static func compare(_ questions: [Question]) throws {
        let input = questions.map { $0.line + "\n" }.joined()
        let answers = try PythonProcess.run(script, input: input)
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        try #require(answers.count == questions.count)
        var wrong: [String] = []
        for (question, answer) in zip(questions, answers) where question.answer != answer {
            wrong.append("\(question.line): \(question.answer), Python says \(answer)")
        }
        #expect(wrong.isEmpty, "\(wrong.count) of \(questions.count), \(wrong.prefix(10))")
    }

    @Test func `operations and comparisons do what Python does`() throws {
        try Self.compare(Self.questions())
    }

    @Test func `every character has Python's lower and upper case, and space`() throws {
        var questions: [Question] = []
        // A run of characters at a time; what one has, shows in its run.
        for start in stride(from: 0 as UInt32, to: 0x110000, by: 64) {
            let scalars = (start..<start + 64).compactMap { Unicode.Scalar($0) }
            let apart = scalars.map { String(Character($0)) }.joined(separator: " ")
            let together = String(String.UnicodeScalarView(scalars))
            for name in [Template.Operation.Name.lower, .upper] {
                questions.append(.operation(.init(name: name, base: .empty), apart))
            }
            for index in [0, -1] as [Int64] {
                for name in [Template.Operation.Name.split, .splitlines] {
                    questions.append(
                        .operation(.init(name: name, base: .empty, index: index), together))
                }
            }
        }
        try Self.compare(questions)
    }

    @Test func `chains of operations on random texts do what Python does`() throws {
        var random = Seeded(7)
        let alphabet: [Unicode.Scalar] = [
            "a", "B", " ", "\t", "\n", "\r", ",", "'", "\"", "\\", "Σ", "\u{301}", "\u{2028}",
            "\u{1f}",
            "é", "😀", "-", "\u{ad}",
        ]
        func text(_ most: Int) -> String {
            var view = String.UnicodeScalarView()
            for _ in 0..<random.below(most) { view.append(alphabet[random.below(alphabet.count)]) }
            return String(view)
        }
        var questions: [Question] = []
        for _ in 0..<20_000 {
            guard let name = Template.Operation.Name.allCases.randomElement(using: &random) else {
                continue
            }
            var operation = Template.Operation(name: name, base: .empty)
            switch name {
            case .lower, .upper, .json, .quote, .dedent: break
            case .strip, .lstrip, .rstrip: if random.chance(50) { operation.arguments = [text(4)] }
            case .replace:
                operation.arguments = [text(3), text(3)]
                operation.limit = Int64(random.below(4)) - 1
            case .removeprefix, .removesuffix: operation.arguments = [text(3)]
            case .split:
                if random.chance(60) { operation.arguments = [text(3)] }
                operation.limit = Int64(random.below(4)) - 1
                operation.index = Int64(random.below(6)) - 3
            case .splitlines: operation.index = Int64(random.below(6)) - 3
            }
            questions.append(.operation(operation, text(12)))
        }
        try Self.compare(questions)
    }

    @Test func `a template is filled in from its innermost operation on`() throws {
        let inner = Template(parts: [
            .operation(
                .init(
                    name: .strip, base: Template(parts: [.literal(" "), .output(StepIndex(0))])))
        ])
        let template = Template(parts: [
            .literal("v"), .operation(.init(name: .upper, base: inner)), .code(StepIndex(1)),
            .secret("K"),
        ])
        let text = try TemplateText.text(
            of: template, secrets: { $0 == "K" ? "s" : nil }, output: { _ in "ab " },
            code: { _ in 7 })
        #expect(text == "vAB7s")
        #expect(throws: TemplateText.Failure.noSecret("K")) {
            try TemplateText.text(
                of: template, secrets: { _ in nil }, output: { _ in "" }, code: { _ in 0 })
        }
        #expect(throws: TemplateText.Failure.noOutput(StepIndex(0))) {
            try TemplateText.text(
                of: template, secrets: { $0 }, output: { _ in nil }, code: { _ in 0 })
        }
    }

    @Test func `a text that grows without end is refused`() throws {
        var template = Template(parts: [.output(StepIndex(0))])
        for _ in 0..<20 {
            template = Template(parts: [
                .operation(.init(name: .replace, base: template, arguments: ["", "0123456789"]))
            ])
        }
        #expect(throws: TemplateText.Failure.tooLong(limit: TemplateText.limit)) {
            try TemplateText.text(
                of: template, secrets: { _ in nil }, output: { _ in "x" }, code: { _ in 0 })
        }
    }
}
