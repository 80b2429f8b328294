import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

import concourse.AccessToken;
import concourse.ConcourseCalculateService;
import concourse.ConcourseNavigateService;
import concourse.ConcourseService;
import concourse.SecurityException;
import concourse.TransactionToken;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;

/** A data server of generated code, as upstream.py is one, as the original serves it. */
public final class DataServer {
  private final Map<ByteBuffer, Boolean> tokens = new ConcurrentHashMap<>();
  private final Map<TransactionToken, String> transactions = new ConcurrentHashMap<>();
  private final AtomicLong last = new AtomicLong();

  public static void main(String[] args) throws Exception {
    DataServer s = new DataServer();
    TMultiplexedProcessor all = new TMultiplexedProcessor();
    TProcessor core = new ConcourseService.Processor<>(s.service("core", ConcourseService.Iface.class));
    all.registerProcessor("core", core);
    all.registerDefault(core);
    all.registerProcessor("calculate",
        new ConcourseCalculateService.Processor<>(s.service("calculate", ConcourseCalculateService.Iface.class)));
    all.registerProcessor("navigate",
        new ConcourseNavigateService.Processor<>(s.service("navigate", ConcourseNavigateService.Iface.class)));
    TServerSocket socket = new TServerSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    System.out.println(socket.getServerSocket().getLocalPort());
    TThreadPoolServer server = new TThreadPoolServer(new TThreadPoolServer.Args(socket)
        .processor(all).protocolFactory(new TBinaryProtocol.Factory()).maxWorkerThreads(1000));
    Thread serving = new Thread(server::serve);
    serving.setDaemon(true);
    serving.start();
    while (System.in.read() >= 0) {
      // until the end
    }
    System.exit(0);
  }

  private <T> T service(String mux, Class<T> face) {
    return face.cast(Proxy.newProxyInstance(face.getClassLoader(), new Class<?>[] {face}, (p, m, values) -> {
      Object[] given = values == null ? new Object[0] : values;
      say(mux, m, given);
      try {
        return DataServer.class.getDeclaredMethod(m.getName(), Object[].class).invoke(this, (Object) given);
      } catch (NoSuchMethodException usual) {
        return answer(m, given);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }));
  }

  private static void say(String mux, Method m, Object[] values) {
    Class<?>[] types = m.getParameterTypes();
    String line = mux + " " + m.getName();
    int at = types.length - 1;
    if (Samples.isEnvironment(types, at) && values[at] != null) {
      line += " " + URLEncoder.encode((String) values[at], StandardCharsets.UTF_8);
    }
    System.out.println(line);
  }

  private Object answer(Method m, Object[] values) throws Exception {
    AccessToken creds = null;
    TransactionToken transaction = null;
    for (Object v : values) {
      creds = v instanceof AccessToken ? (AccessToken) v : creds;
      transaction = v instanceof TransactionToken ? (TransactionToken) v : transaction;
    }
    String environment = values.length == 0 ? null : (String) values[values.length - 1];
    if (values.length > 0) {
      check(creds, transaction, environment);
    }
    if (!Arrays.equals(values, Samples.call(m, Samples.number(m, values), creds, transaction, environment))) {
      throw new IllegalArgumentException("other arguments than any client sends");
    }
    return Samples.answer(m, values);
  }

  private void check(AccessToken creds, TransactionToken transaction, String environment) throws SecurityException {
    if (creds == null || !tokens.containsKey(ByteBuffer.wrap(creds.getData()))) {
      throw new SecurityException("Invalid access token");
    }
    if (transaction != null && !environment.equals(transactions.get(transaction))) {
      throw new IllegalStateException("no such transaction");
    }
  }

  Object login(Object... v) throws SecurityException {
    if (!v[0].equals(ByteBuffer.wrap("host".getBytes())) || !v[1].equals(ByteBuffer.wrap("the host's own".getBytes()))) {
      throw new SecurityException("Invalid username/password combination.");
    }
    byte[] token = new byte[32];
    new SecureRandom().nextBytes(token);
    tokens.put(ByteBuffer.wrap(token), true);
    return new AccessToken(ByteBuffer.wrap(token));
  }

  Object logout(Object... v) throws SecurityException {
    check((AccessToken) v[0], null, (String) v[1]);
    tokens.remove(ByteBuffer.wrap(((AccessToken) v[0]).getData()));
    return null;
  }

  Object stage(Object... v) throws SecurityException {
    check((AccessToken) v[0], null, (String) v[1]);
    TransactionToken t = new TransactionToken((AccessToken) v[0], last.incrementAndGet());
    transactions.put(t, (String) v[1]);
    return t;
  }

  Object commit(Object... v) throws SecurityException {
    check((AccessToken) v[0], (TransactionToken) v[1], (String) v[2]);
    transactions.remove(v[1]);
    return true;
  }

  Object abort(Object... v) throws SecurityException {
    commit(v);
    return null;
  }

  Object getServerEnvironment(Object... v) throws SecurityException {
    check((AccessToken) v[0], (TransactionToken) v[1], (String) v[2]);
    String name = ((String) v[2]).replaceAll("[^A-Za-z0-9_]", "");
    return name.isEmpty() ? "default" : name;
  }
}
