import Testing

@testable import Master

@Suite struct SecretPolicyTests {
    static func context(
        team: String? = "a", pipeline: String = "p", branch: String? = "main",
        event: String = "push", isFork: Bool = false
    ) -> SecretContext {
        SecretContext(team: team, pipeline: pipeline, branch: branch, event: event, isFork: isFork)
    }

    static let scopes: [SecretScope] = [.global, .team("a"), .team("b"), .pipeline("p")]

    @Test(arguments: scopes)
    func `a fork is given nothing`(scope: SecretScope) throws {
        let restrictions = [
            SecretRestriction.none, try SecretRestriction(branches: ["**"], events: ["push"]),
        ]
        for restriction in restrictions {
            let decision = SecretPolicy.mayRead(scope, restriction, Self.context(isFork: true))
            #expect(decision == .denied(.fork))
        }
    }

    @Test func `a secret is given to the jobs of its scope`() {
        func decide(_ scope: SecretScope, _ context: SecretContext) -> SecretPolicy.Decision {
            SecretPolicy.mayRead(scope, .none, context)
        }
        #expect(decide(.global, Self.context(team: nil)) == .granted)
        #expect(decide(.team("a"), Self.context()) == .granted)
        #expect(decide(.team("b"), Self.context()) == .denied(.scope))
        #expect(decide(.team("a"), Self.context(team: nil)) == .denied(.scope))
        #expect(decide(.team("p"), Self.context()) == .denied(.scope))
        #expect(decide(.pipeline("p"), Self.context()) == .granted)
        #expect(decide(.pipeline("P"), Self.context()) == .denied(.scope))
        // Two spellings that Unicode calls equal.
        #expect(decide(.team("e\u{301}"), Self.context(team: "\u{E9}")) == .denied(.scope))
    }

    @Test func `branches and events restrict it`() throws {
        let both = try SecretRestriction(branches: ["main", "release/*"], events: ["push"])
        func decide(_ branch: String?, _ event: String) -> SecretPolicy.Decision {
            SecretPolicy.mayRead(.global, both, Self.context(branch: branch, event: event))
        }
        #expect(decide("main", "push") == .granted)
        #expect(decide("release/1", "push") == .granted)
        #expect(decide("release/1/x", "push") == .denied(.branch))
        #expect(decide(nil, "push") == .denied(.branch))
        #expect(decide("main", "pull_request") == .denied(.event))
        #expect(decide("main", "Push") == .denied(.event))
        let anyBranch = try SecretRestriction(branches: [], events: ["schedule"])
        #expect(
            SecretPolicy.mayRead(.global, anyBranch, Self.context(branch: nil, event: "schedule"))
                == .granted)
    }

    @Test(arguments: [
        (
            "main", ["main"],
            ["Main", "main2", "xmain", "m\u{430}in", "main/x", "refs/heads/main", ""]
        ),
        ("*", ["a", "é"], ["a/b", ""]), ("**", ["a", "a/b", "/"], [""]),
        ("release/*", ["release/1", "release/"], ["release", "release/1/2", "xrelease/1"]),
        ("release/**", ["release/1", "release/1/2"], ["release", "releases/1"]),
        ("**/hotfix", ["a/hotfix", "a/b/hotfix"], ["hotfix", "a/hotfix2"]),
        ("v?.?", ["v1.2", "vé.2"], ["v1.22", "v/.2", "v1.", "v12"]),
        ("?", ["é", "日"], ["", "ab"]),
        ("??", ["éa", "aé", "日本"], ["é", "日"]), ("?*", ["é", "éa"], ["", "a/b"]),
        ("a*b*c", ["abc", "aXbYc", "abbcc"], ["ab", "abcX"]), ("***", ["a/b"], []),
        ("[a]", ["[a]"], ["a"]), ("a.c", ["a.c"], ["abc"]), ("\u{E9}", ["\u{E9}"], ["e\u{301}"]),
    ])
    func `a pattern matches whole names, byte by byte`(
        pattern: String, matching: [String], others: [String]
    ) throws {
        let pattern = try BranchPattern(pattern)
        for branch in matching { #expect(pattern.matches(branch), "\(branch)") }
        for branch in others { #expect(!pattern.matches(branch), "\(branch)") }
    }

    @Test func `the worst pattern takes no time`() throws {
        let pattern = try BranchPattern(String(repeating: "a*", count: 127) + "b")
        let clock = ContinuousClock()
        let branch = String(repeating: "a", count: 1024)
        let took = clock.measure { #expect(!pattern.matches(branch)) }
        // A pattern that tries every way would not end at all.
        #expect(took < .seconds(5))
        #expect(!(try BranchPattern("**")).matches(branch + "a"))
    }

    @Test func `restrictions that say nothing clear are refused`() {
        for branch in ["", "a b", "a\nb", "\u{0}", String(repeating: "a", count: 257)] {
            #expect(throws: SecretError.self) {
                try SecretRestriction(branches: [branch], events: [])
            }
        }
        for event in ["", "a b", "push\nbranch *", String(repeating: "a", count: 65)] {
            #expect(throws: SecretError.self) {
                try SecretRestriction(branches: [], events: [event])
            }
        }
        #expect(throws: SecretError.self) {
            try SecretRestriction(branches: Array(repeating: "a", count: 33), events: [])
        }
        #expect(throws: SecretError.self) { try SecretRestriction(text: "tag x\n") }
    }

    @Test func `a restriction and a scope are stored as texts`() throws {
        let restriction = try SecretRestriction(branches: ["a/*", "b"], events: ["push"])
        #expect(try SecretRestriction(text: restriction.text) == restriction)
        #expect(try SecretRestriction(text: "") == SecretRestriction.none)
        for scope in Self.scopes { #expect(SecretScope(scope.description) == scope) }
        for text in ["", "Global", "team", "team:", "user:a", "team:a b", "team:a\n"] {
            #expect(SecretScope(text) == nil, "\(text)")
        }
    }

    @Test(arguments: ["", "1a", "a-b", "a b", "é", "a\u{0}", "a\n", "../a", "A=B"])
    func `a name that no variable has is refused`(name: String) {
        #expect(throws: SecretError.self) { try SecretID(.global, name) }
        #expect(throws: SecretError.self) {
            try SecretID(.team(String(repeating: "a", count: 201)), "A")
        }
    }
}
