import NIOCore
import NIOPosix
import Testing

@testable import Master

@Suite struct AnswerRoomTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    /// Waits until so many stand in the line.
    private func line(of count: Int, in room: AnswerRoom) async throws {
        while room.waitingCount != count { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func `who finds no room waits until there is some, in turn`() async throws {
        let room = AnswerRoom(100)
        var held: AnswerRoom.Share? = try await room.share(of: 80, on: loop)
        let wide = Task { try await room.share(of: 90, on: loop) }
        try await line(of: 1, in: room)
        // There would be room for this one, but others came first.
        let narrow = Task { try await room.share(of: 10, on: loop) }
        try await line(of: 2, in: room)
        withExtendedLifetime(held) {}
        held = nil
        let shares = [try await wide.value, try await narrow.value]
        #expect(room.waitingCount == 0)
        withExtendedLifetime(shares) {}
    }

    @Test func `an answer larger than all room takes all of it`() async throws {
        let room = AnswerRoom(100)
        let all = try await room.share(of: 1_000, on: loop)
        let next = Task { try await room.share(of: 1, on: loop) }
        try await line(of: 1, in: room)
        next.cancel()
        await #expect(throws: CancellationError.self) { try await next.value }
        #expect(room.waitingCount == 0)
        withExtendedLifetime(all) {}
    }

    @Test func `who is cancelled lets those behind in`() async throws {
        let room = AnswerRoom(100)
        let held = try await room.share(of: 50, on: loop)
        let wide = Task { try await room.share(of: 60, on: loop) }
        try await line(of: 1, in: room)
        let narrow = Task { try await room.share(of: 40, on: loop) }
        try await line(of: 2, in: room)
        wide.cancel()
        _ = try await narrow.value
        withExtendedLifetime(held) {}
    }

    @Test func `what is made needs less than its making`() async throws {
        let room = AnswerRoom(100, patience: .milliseconds(500))
        let first = try await room.share(of: 100, on: loop)
        let next = Task { try await room.share(of: 60, on: loop) }
        try await line(of: 1, in: room)
        first.keep(40)
        let second = try await next.value
        // Who keeps more than it has gets no more.
        first.keep(80)
        await #expect(throws: AnswerRoom.Refusal.waitedTooLong) {
            try await room.share(of: 1, on: loop)
        }
        withExtendedLifetime((first, second)) {}
    }

    @Test func `the line is bounded`() async throws {
        let room = AnswerRoom(100, mostWaiting: 1)
        let held = try await room.share(of: 100, on: loop)
        let first = Task { try await room.share(of: 1, on: loop) }
        try await line(of: 1, in: room)
        await #expect(throws: AnswerRoom.Refusal.tooManyWaiting(1)) {
            try await room.share(of: 1, on: loop)
        }
        first.cancel()
        withExtendedLifetime(held) {}
    }

    @Test func `nobody waits for ever`() async throws {
        let room = AnswerRoom(100, patience: .milliseconds(20))
        let held = try await room.share(of: 100, on: loop)
        await #expect(throws: AnswerRoom.Refusal.waitedTooLong) {
            try await room.share(of: 1, on: loop)
        }
        #expect(room.waitingCount == 0)
        withExtendedLifetime(held) {}
    }
}
