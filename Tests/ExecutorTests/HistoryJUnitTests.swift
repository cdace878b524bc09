import Testing

@testable import Executor

@Suite("JUnit reports")
struct HistoryJUnitTests {
    private func read(_ text: String) throws -> JUnitReport { try JUnitReport(Array(text.utf8)) }

    private func names(_ report: JUnitReport) -> [String] {
        report.failures.map {
            "\($0.suite)/\($0.name)\($0.isError ? " (error)" : ""): \($0.message)"
        }
    }

    @Test("a file of pytest")
    func pytest() throws {
        let report = try read(
            """
            <?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite \
            name="pytest" errors="1" failures="2" skipped="2" tests="6" time="0.576" \
            hostname="vm"><testcase classname="test_x" name="test_ok" time="0.001" /><testcase \
            classname="test_x" name="test_bad" time="0.001"><failure message="assert 'x&lt;y&gt;' \
            == 'é&amp;\\'&quot;'&#10;  &#10;  - é&amp;'&quot;">def test_bad():
                    a = "x&lt;y&gt;"
            test_x.py:5: AssertionError</failure></testcase><testcase classname="test_x" \
            name="test_error" time="0.053"><error message="failed on setup with \
            &quot;RuntimeError: no&#10;fixture&quot;">@pytest.fixture
            test_x.py:7: RuntimeError</error></testcase><testcase classname="test_x" \
            name="test_skip" time="0.000"><skipped type="pytest.skip" message="later">test_x.py:9: \
            later</skipped></testcase><testcase classname="test_x" name="test_xfail" \
            time="0.000"><skipped type="pytest.xfail" message="" /></testcase><testcase \
            classname="test_x" name="test_p[&lt;&gt;]" time="0.001"><failure \
            message="AssertionError: assert '&lt;&gt;' == 'a b'&#10;  - a b">v = '&lt;&gt;'
            test_x.py:14: AssertionError</failure></testcase></testsuite></testsuites>
            """)
        #expect(report.testCount == 6 && report.failureCount == 2)
        #expect(report.errorCount == 1 && report.skippedCount == 2)
        #expect(report.duration == .milliseconds(56))
        #expect(
            names(report) == [
                "test_x/test_bad: assert 'x<y>' == 'é&\\'\"'",
                "test_x/test_error (error): failed on setup with \"RuntimeError: no",
                "test_x/test_p[<>]: AssertionError: assert '<>' == 'a b'",
            ])
    }

    @Test("a file of Surefire, with a flaky and a repeated test")
    func surefire() throws {
        let report = try read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
            xsi:noNamespaceSchemaLocation="surefire-test-report.xsd" version="3.0" \
            name="com.example.AppTest" time="1,234.5" tests="4" errors="1" skipped="0" failures="1">
              <properties>
                <property name="java.version" value="17.0.15"/>
              </properties>
              <testcase name="ok" classname="com.example.AppTest" time="1,234.5">
                <system-out><![CDATA[<failure message="no">]]></system-out>
              </testcase>
              <testcase name="adds" classname="com.example.AppTest" time="0.004">
                <failure message="expected: &lt;3&gt; but was: &lt;2&gt;" \
            type="org.opentest4j.AssertionFailedError"><![CDATA[org.opentest4j...
            \tat com.example.AppTest.adds(AppTest.java:12)
            ]]></failure>
                <rerunFailure message="again" type="x"><stackTrace>y</stackTrace></rerunFailure>
              </testcase>
              <testcase name="npe" classname="com.example.AppTest" time="0.001">
                <error type="java.lang.NullPointerException"><![CDATA[
            java.lang.NullPointerException: Cannot invoke
            \tat com.example.AppTest.npe(AppTest.java:20)
            ]]></error>
              </testcase>
              <testcase name="flaky" classname="com.example.AppTest" time="0.5">
                <flakyFailure message="once" type="x"><stackTrace>y</stackTrace></flakyFailure>
              </testcase>
            </testsuite>
            """)
        #expect(report.testCount == 4 && report.failureCount == 1 && report.errorCount == 1)
        #expect(report.duration == .milliseconds(1_235_005))
        #expect(
            names(report) == [
                "com.example.AppTest/adds: expected: <3> but was: <2>",
                "com.example.AppTest/npe (error): java.lang.NullPointerException: Cannot invoke",
            ])
    }

    @Test("files of cargo-nextest, gotestsum and swift test")
    func others() throws {
        let nextest = try read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="nextest-run" tests="2" failures="1" errors="0" uuid="4c2d" \
            timestamp="2026-01-01T00:00:00.000+00:00" time="0.012">
                <testsuite name="demo" tests="2" disabled="0" errors="0" failures="1">
                    <testcase name="tests::ok" classname="demo" time="0.004">
                    </testcase>
                    <testcase name="tests::bad" classname="demo" time="0.005">
                        <failure type="test failure with exit code 101">thread 'tests::bad' \
            panicked at src/lib.rs:9:9:
            assertion `left == right` failed</failure>
                        <system-out>running 1 test</system-out>
                    </testcase>
                </testsuite>
            </testsuites>
            """)
        #expect(
            names(nextest) == ["demo/tests::bad: thread 'tests::bad' panicked at src/lib.rs:9:9:"])
        let go = try read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites tests="3" failures="1" errors="0" time="0.003">
            \t<testsuite tests="3" failures="1" time="0.001" name="example.org/m" timestamp="x">
            \t\t<properties><property name="go.version" value="go1.22"></property></properties>
            \t\t<testcase classname="example.org/m" name="TestOK" time="0.000000"></testcase>
            \t\t<testcase classname="example.org/m" name="TestBad" time="0.000000">
            \t\t\t<failure message="Failed" type="">=== RUN   TestBad&#xA;    m_test.go:9: no\
            &#xA;</failure>
            \t\t</testcase>
            \t\t<testcase classname="example.org/m" name="TestSkip" time="0.000000">
            \t\t\t<skipped message="    m_test.go:5: later&#xA;"></skipped>
            \t\t</testcase>
            \t</testsuite>
            </testsuites>
            """)
        #expect(go.testCount == 3 && go.skippedCount == 1)
        #expect(names(go) == ["example.org/m/TestBad: Failed"])
        let swift = try read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites>
            <testsuite name="TestResults" errors="0" tests="1" failures="1" skipped="0" time="0.1">
            <testcase classname="T.S" name="a()" time="0.1"><failure message="failed"></failure>\
            </testcase>
            </testsuite>
            </testsuites>
            """)
        #expect(names(swift) == ["T.S/a(): failed"])
        var sum = nextest
        sum.add(go)
        sum.add(swift)
        #expect(sum.testCount == 6 && sum.failures.count == 3)
    }

    @Test("entities do not grow, and nothing but the file is read")
    func entities() throws {
        let report = try read(
            """
            <!DOCTYPE testsuite [ <!-- > --> <!ENTITY a "aaaaaaaaaa"> <!ENTITY b "&a;&a;&a;&a;">
            <!ENTITY x SYSTEM "file:///etc/passwd"> ]>
            <testsuite><testcase name="&b;&x;&#x41;&#66;&bad &#xD800; &"><failure/></testcase>
            </testsuite>
            """)
        #expect(report.failures.map(\.name) == ["&b;&x;AB&bad &#xD800; &"])
    }

    @Test(
        "what is no report says why, and where",
        arguments: [
            ("", "it is empty"), ("\u{feff} \n", "it is empty"),
            ("<html></html>", "it is no JUnit report: it begins with <html>"),
            ("hello", "line 1: text outside"),
            ("<testsuite>\n<testcase>\n</testsuite>", "line 3: </testsuite> ends nothing"),
            ("<testsuite>\n", "line 2: the file ends within an element"),
            ("<testsuite", "line 1: the file ends within a tag"),
            ("<testsuite a>", "line 1: an attribute has no value"),
            ("<testsuite a=b>", "line 1: a value is not quoted"),
            ("<testsuite a=\"b>", "line 1: a value does not end"),
            ("<testsuite><![CDATA[", "line 1: the file ends before ]]>"),
            ("<!DOCTYPE x [", "line 1: a declaration does not end"),
            ("<testsuite></testsuite", "line 1: a tag does not end"),
            ("</a>", "line 1: </a> ends nothing"), ("<>", "line 1: a name is missing"),
        ])
    func malformed(_ text: String, _ reason: String) {
        let error = #expect(throws: XMLProblem.self) { try read(text) }
        #expect(error?.description == reason)
    }

    @Test("depth, attributes, size, texts and failures have bounds")
    func bounds() throws {
        let deep = String(repeating: "<testsuite>", count: 100_000)
        #expect(throws: XMLProblem.malformed(line: 1, "elements are nested too deep")) {
            try read(deep)
        }
        let wide = (0..<300).map { "a\($0)=''" }.joined(separator: " ")
        #expect(throws: XMLProblem.malformed(line: 1, "an element has too many attributes")) {
            try read("<testsuite \(wide)/>")
        }
        #expect(throws: XMLProblem.tooLarge(most: JUnitReport.mostBytes)) {
            try JUnitReport([UInt8](repeating: 32, count: JUnitReport.mostBytes + 1))
        }
        let long = String(repeating: "x", count: 100_000)
        let many = (0..<1500).map { "<testcase name=\"\($0)\"><failure/></testcase>" }.joined()
        let report = try read(
            "<testsuite><testcase name='\(long)' time='1e400'><failure>\(long)</failure>"
                + "</testcase>\(many)</testsuite>")
        #expect(report.testCount == 1501 && report.failures.count == JUnitReport.mostFailures)
        #expect(report.failures[0].name.utf8.count == JUnitReport.mostTextBytes)
        #expect(report.duration == .zero)
    }

    @Test("random damage of a file never traps")
    func damaged() {
        let good =
            Array(
                "<!DOCTYPE a [<!ENTITY b 'c'>]><testsuites><testsuite name='s'><testcase name='t'>"
                    .utf8)
            + Array(
                "<failure message='&lt;&#10;'><![CDATA[x]]></failure></testcase></testsuite>".utf8)
            + Array("<!-- c --></testsuites>".utf8)
        #expect((try? JUnitReport(good))?.failureCount == 1)
        var numbers = SplitMix(state: 5)
        let alphabet = Array("<>&;'\"=/!-[]?#x a".utf8) + [0, 255]
        for _ in 0..<5000 {
            var bad = good
            for _ in 0..<Int.random(in: 1...5, using: &numbers) {
                let place = Int.random(in: bad.indices, using: &numbers)
                bad[place] = alphabet.randomElement(using: &numbers) ?? 0
            }
            bad.removeLast(Int.random(in: 0...10, using: &numbers))
            if let report = try? JUnitReport(bad) { #expect(report.testCount <= 2) }
        }
    }
}
