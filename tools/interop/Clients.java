import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

import concourse.AccessToken;
import concourse.ConcourseCalculateService;
import concourse.ConcourseNavigateService;
import concourse.ConcourseService;
import concourse.PermissionException;
import concourse.SecurityException;
import concourse.TransactionException;
import concourse.TransactionToken;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TSocket;

/**
 * Calls as the driver for Java does: one connection, a service named with each
 * method. "Clients PORT PASSWORD" prints how many calls it made and what is wrong.
 */
public final class Clients {
  private static final Set<String> SPECIAL =
      Set.of("login", "logout", "stage", "commit", "abort", "invokeManagement", "getServerEnvironment", "getServerVersion");
  private static final AtomicInteger called = new AtomicInteger();
  private static final List<String> problems = new ArrayList<>();

  private final Map<Class<?>, Object> services;
  private final ConcourseService.Client core;
  private final AccessToken token;

  private Clients(int port, String username, String password) throws Exception {
    TSocket socket = new TSocket("localhost", port, 60_000);
    socket.open();
    TProtocol p = new TBinaryProtocol(socket);
    core = new ConcourseService.Client(new TMultiplexedProtocol(p, "core"));
    services = Map.of(
        ConcourseService.Iface.class, core,
        ConcourseCalculateService.Iface.class, new ConcourseCalculateService.Client(new TMultiplexedProtocol(p, "calculate")),
        ConcourseNavigateService.Iface.class, new ConcourseNavigateService.Client(new TMultiplexedProtocol(p, "navigate")));
    token = core.login(bytes(username), bytes(password), "billing");
  }

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    everyMethod(new Clients(port, "writer", args[1]));
    refusals(port, args[1]);
    List<Thread> crowd = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Clients one = new Clients(port, "writer", args[1]);
      Random draw = new Random(i);
      crowd.add(new Thread(() -> {
        List<Method> all = one.methods();
        for (int n = 0; n < 2000; n++) {
          one.right(all.get(draw.nextInt(all.size())), draw.nextInt(1 << 30), null);
        }
      }));
    }
    crowd.forEach(Thread::start);
    for (Thread t : crowd) {
      t.join();
    }
    System.out.println(called);
    problems.stream().limit(40).forEach(System.out::println);
    System.exit(problems.isEmpty() ? 0 : 1);
  }

  private static void everyMethod(Clients c) throws Exception {
    TransactionToken t = c.core.stage(c.token, "billing");
    for (Method m : c.methods()) {
      c.right(m, 77, null);
      c.right(m, 78, t);
    }
    if (!c.core.commit(c.token, t, "billing")) {
      wrong("a commit is not answered with true");
    }
    c.core.abort(c.token, c.core.stage(c.token, "billing"), "billing");
    c.core.logout(c.token, "billing");
  }

  private static void refusals(int port, String password) throws Exception {
    Clients nobody = new Clients(port, "nobody", password);
    Clients writer = new Clients(port, "writer", password);
    AccessToken dead = new AccessToken(ByteBuffer.wrap(new byte[32]));
    TransactionToken none = new TransactionToken(writer.token, 5);
    for (Method m : writer.methods()) {
      nobody.refused(m, nobody.token, null, "billing", PermissionException.class, "Insufficient Permission");
      writer.refused(m, writer.token, null, "api", PermissionException.class, "Insufficient Permission");
      writer.refused(m, dead, null, "billing", SecurityException.class, "Invalid access token");
      writer.refused(m, null, null, "billing", SecurityException.class, "Invalid access token");
      boolean declared = Arrays.asList(m.getExceptionTypes()).contains(TransactionException.class);
      writer.refused(m, writer.token, none, "billing", declared ? TransactionException.class : TApplicationException.class, "");
    }
    for (String username : List.of("suspended", "writer")) {
      called.incrementAndGet();
      try {
        writer.core.login(bytes(username), bytes(username.equals("writer") ? "wrong" : password), "billing");
        wrong("the login of " + username + " looks like success");
      } catch (SecurityException e) {
        // which ends the driver's login
      }
    }
    writer.core.getServerVersion();
    nobody.core.getServerVersion();
  }

  private List<Method> methods() {
    List<Method> all = new ArrayList<>();
    for (Class<?> face : services.keySet()) {
      for (Method m : face.getMethods()) {
        if (!SPECIAL.contains(m.getName())) {
          all.add(m);
        }
      }
    }
    return all;
  }

  private Object call(Method m, Object... values) throws Throwable {
    called.incrementAndGet();
    try {
      return m.invoke(services.get(m.getDeclaringClass()), values);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private void right(Method m, long n, TransactionToken t) {
    Object[] values = Samples.call(m, n, token, t, "billing");
    try {
      Object answer = call(m, values), want = Samples.answer(m, values);
      if (!Objects.equals(answer, want)) {
        wrong(m.getName() + ": " + answer + ", not " + want);
      }
    } catch (Throwable e) {
      wrong(m.getName() + ": " + e);
    }
  }

  private void refused(Method m, AccessToken creds, TransactionToken t, String environment, Class<?> by, String text) {
    try {
      wrong(m.getName() + " looks like success: " + call(m, Samples.call(m, 5, creds, t, environment)));
    } catch (Throwable e) {
      if (e.getClass() != by || !text.isEmpty() && !String.valueOf(e.getMessage()).contains(text)) {
        wrong(m.getName() + ": " + e + ", not " + by.getSimpleName() + " " + text);
      }
    }
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes());
  }

  private static synchronized void wrong(String text) {
    problems.add(text);
  }
}
