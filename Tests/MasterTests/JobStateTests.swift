import Testing

@testable import Master

@Suite struct JobStateTests {
    @Test func `four states are for ever`() {
        #expect(
            JobState.allCases.filter(\.isTerminal) == [.success, .failure, .timeout, .cancelled])
    }
}
