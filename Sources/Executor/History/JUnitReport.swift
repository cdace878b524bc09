/// What a file of test results in JUnit's form says.
///
/// The form is what Ant's task wrote, as pytest, Surefire, cargo-nextest and gotestsum write it:
/// `testsuites` > `testsuite` > `testcase` > `failure` | `error` | `skipped`. Tests are counted one
/// by one; the numbers in attributes are not believed.
package struct JUnitReport: Sendable, Equatable {
    /// A test that did not pass.
    package struct Failure: Sendable, Equatable {
        /// The suite or class.
        package var suite: String
        /// The test.
        package var name: String
        /// The first line of what it said.
        package var message: String
        /// Whether it ended by an error, and not by a check.
        package var isError: Bool
    }

    /// Tests in the file.
    package private(set) var testCount = 0
    /// Tests of which a check failed.
    package private(set) var failureCount = 0
    /// Tests that ended by an error.
    package private(set) var errorCount = 0
    /// Tests that were left out.
    package private(set) var skippedCount = 0
    /// How long the tests took together.
    package private(set) var duration = Duration.zero
    /// The tests that did not pass, the first ones in the file.
    package private(set) var failures: [Failure] = []

    /// A larger file is refused.
    package static let mostBytes = 64 << 20
    /// How many failures are kept.
    package static let mostFailures = 1000
    static let mostTextBytes = 500

    /// Nothing.
    package init() {}

    /// Reads a file. Entities are not expanded, and nothing outside of the file is read.
    package init(_ bytes: [UInt8]) throws(XMLProblem) {
        guard bytes.count <= Self.mostBytes else { throw .tooLarge(most: Self.mostBytes) }
        var reader = XMLReader(bytes)
        var stack: [String] = []
        var suites: [String] = []
        var test: Test?
        var seen = false
        while let event = try reader.next() {
            switch event {
            case .start(let name, let attributes):
                if stack.isEmpty {
                    guard ["testsuites", "testsuite"].contains(name) else { throw .noReport(name) }
                    seen = true
                }
                stack.append(name)
                if name == "testsuite" { suites.append(attributes["name"] ?? "") }
                if name == "testcase" { test = Test(attributes, suites.last ?? "") }
                if stack.dropLast().last == "testcase" { test?.take(name, attributes) }
            case .text(let text):
                if stack.dropLast().last == "testcase" { test?.take(text, in: stack.last ?? "") }
            case .end:
                let name = stack.popLast()
                if name == "testsuite" { _ = suites.popLast() }
                if name == "testcase", let done = test {
                    add(done)
                    test = nil
                }
            }
        }
        guard seen else { throw .noReport("") }
    }

    /// Adds what another file says.
    package mutating func add(_ other: JUnitReport) {
        testCount += other.testCount
        failureCount += other.failureCount
        errorCount += other.errorCount
        skippedCount += other.skippedCount
        duration += other.duration
        failures += other.failures.prefix(Self.mostFailures - failures.count)
    }

    /// A test while it is read.
    private struct Test {
        enum Result { case passed, skipped, failed, error }
        var name: String
        var suite: String
        var seconds: Double
        var result = Result.passed
        var message = ""

        init(_ attributes: [String: String], _ suite: String) {
            name = attributes["name"] ?? ""
            self.suite = attributes["classname"].flatMap { $0.isEmpty ? nil : $0 } ?? suite
            seconds = attributes["time"].flatMap(Self.seconds) ?? 0
        }

        /// `1.5`, and `1,234.5` as Surefire writes it.
        static func seconds(_ text: String) -> Double? {
            guard let value = Double(text.filter { $0 != "," }), value.isFinite, value >= 0,
                value < 1e9
            else { return nil }
            return value
        }

        mutating func take(_ element: String, _ attributes: [String: String]) {
            switch element {
            case "failure": result = .failed
            case "error": result = .error
            // A test that passed at a later try passed; Surefire names the tries otherwise.
            case "skipped": if result == .passed { result = .skipped }
            default: return
            }
            if message.isEmpty { message = attributes["message"] ?? "" }
        }

        mutating func take(_ text: String, in element: String) {
            guard element == "failure" || element == "error", message.isEmpty else { return }
            if !SecretForms.trim(Array(text.utf8)).isEmpty { message = text }
        }
    }

    private mutating func add(_ test: Test) {
        testCount += 1
        duration += .seconds(test.seconds)
        switch test.result {
        case .passed: return
        case .skipped: skippedCount += 1
        case .failed: failureCount += 1
        case .error: errorCount += 1
        }
        guard test.result != .skipped, failures.count < Self.mostFailures else { return }
        failures.append(
            Failure(
                suite: Self.line(test.suite), name: Self.line(test.name),
                message: Self.line(test.message), isError: test.result == .error))
    }

    /// The first line that says something, cut.
    private static func line(_ text: String) -> String {
        let line =
            text.utf8.split { $0 == 10 || $0 == 13 }
            .first { $0.contains { $0 != 32 && $0 != 9 } } ?? text.utf8[...].prefix(0)
        return String(decoding: SecretForms.trim(Array(line.prefix(mostTextBytes))), as: UTF8.self)
    }
}
